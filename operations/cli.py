"""The command line: ``python -m services`` runs everything embedded; with a name, that service.

python -m services                      all services in one process, embedded PostgreSQL
python -m services intake               one service, on the addresses in JIESU_…
python -m services names                which services there are
python -m services migrate [NAME…]      databases and broker topology, before anything starts
python -m services migration NAME what_it_does   writes the next migration from the models
python -m services broker-definitions   users, rights and queues, for RabbitMQ to load
python -m services token --role unit --unit HC
python -m services key 2027a            a new key pair for signing tokens
python -m services dead | replay [NAME…]  facts that need a person
python -m services stuck                what has not moved in time; erase, retain, reseal, resend
python -m services call-test URL        a signed test call to a phone system, now
python -m services contracts            writes docs/ from the code
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError

from operations.commands import facts, identities, morning, preparing, running, signing, trying
from operations.runtime.postgres import EmbeddedTrouble
from shared.errors import ConfigError, JiesuError
from shared.messaging.bus import BusTrouble
from shared.observability import place

COMMANDS: dict[str, Callable[..., None]] = {
    "run": running.run,
    "names": running.print_names,
    "migrate": preparing.migrate,
    "migration": preparing.migration,
    "broker-definitions": preparing.broker_definitions,
    "check-config": preparing.check_config,
    "token": signing.token,
    "key": signing.key,
    "dead": facts.dead,
    "replay": facts.replay,
    "resend": facts.resend,
    "stuck": morning.stuck,
    "erase": identities.erase,
    "retain": identities.retain,
    "reseal": identities.reseal,
    "call-test": trying.call_test,
    "contracts": preparing.contracts,
}
cli = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)
for name, command in COMMANDS.items():
    cli.command(name)(command)


def main() -> None:
    """Run a command; a fault of configuration is one clear message and exit code 2."""
    if not sys.argv[1:] or sys.argv[1] not in {*COMMANDS, "--help"}:
        sys.argv.insert(1, "run")
    try:
        cli()
    except (ConfigError, JiesuError, EmbeddedTrouble) as error:
        _fail(str(error))
    except (DBAPIError, OSError, BusTrouble) as error:
        _fail(f"连接失败 cannot be reached: {place(error)}")
    except SettingsError as error:  # no JSON where JSON is wanted; the message holds no value
        _fail(str(error))
    except ValidationError as error:
        _fail("\n".join(map(_fault, error.errors(include_input=False))))


def _fault(row: ErrorDetails) -> str:
    """One wrong setting, by the name of its variable; never its value, which may be a secret."""
    return f"JIESU_{str(row['loc'][0]).upper()}: {row['msg']}" if row["loc"] else row["msg"]


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
