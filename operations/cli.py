"""The command line: ``python -m services`` runs everything embedded; with a name, that service.

python -m services                      all services in one process, embedded PostgreSQL
python -m services intake               one service, on the addresses in JIESU_…
python -m services names                which services there are
python -m services migrate [NAME…]      databases and broker topology, before anything starts
python -m services migration NAME what_it_does   writes the next migration from the models
python -m services broker-definitions   users, rights and queues, for RabbitMQ to load
python -m services check-config DIR     every fault of a folder of rules; reload takes it up
python -m services import-codes FILE.csv --into DIR   a city's own topics or areas, into codes.yaml
python -m services calendar import FILE   a year's notice; local add | remove: days of the place; status
python -m services processes            what runs, on which code and under which rules
python -m services drafts DIR           what of an edited folder waits as a draft
python -m services token --role unit --unit HC
python -m services key 2027a            a new key pair for signing tokens
python -m services dead | replay [NAME…]  facts that need a person
python -m services stuck                what has not moved in time; erase, retain, reseal, resend
python -m services partitions list | make | detach --before 2027-01   months of fact logs and inboxes
python -m services units merge A --into B --from DAY …   rename, split, approve, list: 机构改革
python -m services proof NUMBER --out DIR --reason WHY   everything on record of a ticket, signed
python -m services intake verify-reads  whether the log of who read which contact is whole
python -m services tracker replay       every clock rebuilt from the fact log, and what stands otherwise
python -m services dispatcher catalogue export   the catalogue in force, or --version N, as YAML
python -m services tracker policies export DIR   limits.yaml and supervision.yaml in force, or --version N
python -m services dispatcher suggest-train --out FILE   a model of suggestions from confirmed orders
python -m services dispatcher suggest-eval --train A --test B   how good suggestions are (CSV)
python -m services call-test URL        a signed test call to a phone system, now
python -m services contracts            writes docs/ from the code
"""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from operations.runtime.postgres import EmbeddedTrouble
from operations.runtime.registry import NAMES
from operations.runtime.runner import run_process
from shared.errors import ConfigError, JiesuError
from shared.messaging.bus import BusTrouble
from shared.storage.trouble import said

INTERRUPTED = 130
# Commands of one service, said with its name; `replay` alone is of facts that failed.
OF_ONE_SERVICE: dict[tuple[str, ...], str] = {
    ("intake", "verify-reads"): "verify-reads",
    ("dispatcher", "catalogue"): "catalogue",
    ("dispatcher", "suggest-train"): "suggest-train",
    ("dispatcher", "suggest-eval"): "suggest-eval",
    ("tracker", "replay"): "replay-clocks",
    ("tracker", "policies"): "policies",
}


def main() -> None:
    """Run a command; what a person can mend is one clear message and exit code 2, no traceback."""
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:
        _fail("已中断 interrupted", INTERRUPTED)
    except Exception as error:
        if (why := plain(error)) is None:
            raise
        _fail(why)


def _run(words: list[str]) -> None:
    """A service alone goes past the command line: what it loads would stay in the process."""
    *before, last = words or [""]
    if last in NAMES and before in ([], ["run"]):
        sys.exit(run_process(last))
    sys.modules.pop("rich", None)  # services/__main__.py hides it
    from operations.commands.table import COMMANDS, GROUPS, cli

    if command := OF_ONE_SERVICE.get(tuple(words[:2])):
        sys.argv[1:3] = words[:2] = [command]
    if not words or words[0] not in {*COMMANDS, *GROUPS, "--help"}:
        sys.argv.insert(1, "run")
    cli()


def plain(error: Exception) -> str | None:
    """What a person can cause or mend, in plain words; None for a defect of ours."""
    match error:
        case ConfigError() | JiesuError() | EmbeddedTrouble() | BusTrouble() | SettingsError():
            return str(error)  # that of SettingsError, no JSON where JSON is wanted, holds no value
        case ValidationError():
            return "\n".join(map(_fault, error.errors(include_input=False)))
        case OSError() if error.filename is not None:
            return _of_file(error)
        case UnicodeDecodeError():
            return "文件不是 UTF-8 编码 a file is not in UTF-8"
        case ArgumentError():  # SQLAlchemy's message would repeat the address, with its password
            return "JIESU_DATABASE_URL: 不是数据库地址 is no address of a database"
        case DBAPIError() | OSError() | PoolTimeout():
            return said(error)
    return None


def _of_file(error: OSError) -> str:
    """Which file, and what is the matter with it."""
    words = FILES.get(error.errno or 0, "无法读写 cannot be read or written")
    return f"{error.filename}: {words} ({error.strerror})"


FILES = {
    errno.ENOENT: "文件或目录不存在 is not there",
    errno.EEXIST: "已存在 exists already",
    errno.EACCES: "没有权限 may not be read or written by this account",
    errno.EPERM: "没有权限 may not be read or written by this account",
    errno.EROFS: "所在磁盘只读 lies on a disk that is read only",
    errno.ENOSPC: "磁盘已满 the disk is full",
    errno.EDQUOT: "磁盘配额已满 the disk quota is used up",
    errno.EISDIR: "是目录，不是文件 is a folder, not a file",
    errno.ENOTDIR: "路径中有一段不是目录 part of the path is no folder",
    errno.ENAMETOOLONG: "名称过长 the name is too long",
}


def _fault(row: ErrorDetails) -> str:
    """One wrong setting, by the name of its variable; never its value, which may be a secret."""
    return f"JIESU_{str(row['loc'][0]).upper()}: {row['msg']}" if row["loc"] else row["msg"]


def _fail(why: str, code: int = 2) -> NoReturn:
    sys.stderr.write(f"{why}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
