"""Every command by its name."""

from __future__ import annotations

from collections.abc import Callable

import typer

from operations.commands import (
    calendar,
    catalogue,
    clocks,
    drafts,
    facts,
    identities,
    importing,
    morning,
    partitions,
    policies,
    preparing,
    proof,
    reforming,
    rules,
    running,
    signing,
    suggesting,
    trying,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "run": running.run,
    "names": running.print_names,
    "migrate": preparing.migrate,
    "migration": preparing.migration,
    "broker-definitions": preparing.broker_definitions,
    "check-config": rules.check_config,
    "import-codes": importing.import_codes,
    "reload": rules.reload,
    "processes": rules.processes,
    "drafts": drafts.drafts,
    "token": signing.token,
    "key": signing.key,
    "dead": facts.dead,
    "replay": facts.replay,
    "resend": facts.resend,
    "stuck": morning.stuck,
    "erase": identities.erase,
    "retain": identities.retain,
    "reseal": identities.reseal,
    "proof": proof.proof,
    "verify-reads": identities.verify_reads,
    "replay-clocks": clocks.replay_clocks,
    "catalogue": catalogue.catalogue,
    "policies": policies.policies,
    "suggest-train": suggesting.suggest_train,
    "suggest-eval": suggesting.suggest_eval,
    "call-test": trying.call_test,
    "contracts": preparing.contracts,
}
# Commands of several words: `units merge A --into B`.
GROUPS: dict[str, typer.Typer] = {
    "units": reforming.cli,
    "calendar": calendar.cli,
    "partitions": partitions.cli,
}
cli = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)
for name, command in COMMANDS.items():
    cli.command(name)(command)
for name, group in GROUPS.items():
    cli.add_typer(group, name=name)
