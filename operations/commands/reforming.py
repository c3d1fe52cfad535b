"""机构改革 Merging, renaming and splitting units, from a shell: the same as over HTTP, two persons too.

Who acts is who their token names, here as there: a name that is only typed would let one person be both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.commands.person import Mine, admitted, own_token
from shared.errors import ConfigError, JiesuError

Unit = Annotated[str, typer.Argument(help="the unit that is to be no more, by code or name")]
From = Annotated[str, typer.Option("--from", help="the day from which it holds: 2026-07-01")]
Reason = Annotated[str, typer.Option(help="the paper it goes by: 紫编发〔2026〕3号")]
Dry = Annotated[bool, typer.Option(help="only say what would go to whom")]
Id = Annotated[UUID, typer.Argument(help="the reform, as `units list` names it")]

cli = typer.Typer(no_args_is_help=True, help="机构改革 Merge, rename and split units.")


@cli.command("merge")
def merge(
    unit: Unit,
    into: Annotated[str, typer.Option(help="who follows it")],
    since: From,
    reason: Reason,
    token_file: Mine = None,
    dry_run: Dry = False,
) -> None:
    """撤并: propose that a unit becomes part of another."""
    _propose(unit, {"kind": "merge", "into": into}, since, reason, token_file, dry_run=dry_run)


@cli.command("rename")
def rename(
    unit: Unit,
    to: Annotated[str, typer.Option(help="its new code, which stands in units.yaml already")],
    since: From,
    reason: Reason,
    token_file: Mine = None,
    dry_run: Dry = False,
) -> None:
    """更名: propose that a unit goes on under another code and name."""
    _propose(unit, {"kind": "rename", "into": to}, since, reason, token_file, dry_run=dry_run)


@cli.command("split")
def split(
    unit: Unit,
    part: Annotated[
        list[str],
        typer.Option(help="WHO:topic,topic or WHO@area,area or WHO:topic@area; repeat it"),
    ],
    since: From,
    reason: Reason,
    token_file: Mine = None,
    rest: Annotated[str | None, typer.Option(help="who gets what no part names")] = None,
    dry_run: Dry = False,
) -> None:
    """分设: propose that a unit becomes several, by topic or area."""
    plan = {"kind": "split", "parts": [_part(each) for each in part], "remainder": rest}
    _propose(unit, plan, since, reason, token_file, dry_run=dry_run)


@cli.command("approve")
def approve(reform: Id, token_file: Mine = None) -> None:
    """批准: by another person; it takes effect at its moment."""
    from services.dispatcher.reform import reforming
    from services.dispatcher.reform.schemas import ReformApproval

    _show(
        _done(own_token(token_file), lambda act: reforming.approve(act, reform, ReformApproval()))
    )


@cli.command("withdraw")
def withdraw(reform: Id, reason: Reason, token_file: Mine = None) -> None:
    """撤回: before it takes effect."""
    from services.dispatcher.reform import reforming
    from services.dispatcher.reform.schemas import ReformWithdrawal

    body = ReformWithdrawal(reason=reason)
    _show(_done(own_token(token_file), lambda act: reforming.withdraw(act, reform, body)))


@cli.command("list")
def list_reforms() -> None:
    """Every reform, the newest first, and where it stands."""
    from services.dispatcher.reform import reforming

    for each in _done(None, reforming.listed).items:
        _show(each)


@cli.command("show")
def show(reform: Id) -> None:
    """One reform, with what is left to go to whom."""
    from services.dispatcher.reform import reforming

    _show(_done(None, lambda act: reforming.read(act, reform)))


def _part(text: str) -> dict[str, Any]:
    rest, _, areas = text.partition("@")
    unit, _, topics = rest.partition(":")
    return {
        "unit": unit,
        "topics": [each for each in topics.split(",") if each],
        "areas": [each for each in areas.split(",") if each],
    }


def _propose(
    unit: str,
    plan: dict[str, Any],
    since: str,
    reason: str,
    token_file: Path | None,
    *,
    dry_run: bool,
) -> None:
    from services.dispatcher.reform import reforming
    from services.dispatcher.reform.schemas import ReformIn

    try:
        day = date.fromisoformat(since)
    except ValueError:
        raise ConfigError(f"--from: 应写作 write 2026-07-01, not {since}") from None
    body = ReformIn.model_validate(plan | {"effective": day, "reason": reason})
    mine = None if dry_run else own_token(token_file)
    found = _done(mine, lambda act: reforming.propose(act, unit, body), keep=not dry_run)
    if dry_run:
        typer.echo("试算，未登记 a dry run, nothing was proposed")
    _show(found)


class _NotKept(Exception):
    """Ends an act that only looked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer


def _done(
    token: str | None, use_case: Callable[[Any], Awaitable[Any]], *, keep: bool = True
) -> Any:
    """What a use case answers, in an act of its own. Raises ConfigError with one line of what is wrong."""

    async def run() -> Any:
        with settings_by_name(("dispatcher",), **LOOKING) as settings:
            keys = settings["dispatcher"].token_keys
            caller = admitted(token, keys, ("desk", "supervisor")) if token else None
            actor = caller.actor if caller else "ops:looks"
            async with (
                opened(settings) as stores,
                stores["dispatcher"].act(actor, caller=caller) as act,
            ):
                answer = await use_case(act)
                if not keep:
                    raise _NotKept(answer)
                return answer

    try:
        return asyncio.run(run())
    except _NotKept as looked:
        return looked.answer
    except JiesuError as refused:
        more = "；".join(f"{name}: {value}" for name, value in refused.extra.items())
        raise ConfigError(f"{refused.detail}{f'（{more}）' if more else ''}") from None


def _show(reform: Any) -> None:
    followed = "、".join(
        f"{name}（{code}）"
        for code, name in zip(reform.successors, reform.successor_names, strict=True)
    )
    typer.echo(
        f"{reform.id} {reform.kind} {reform.unit_name}（{reform.unit}）→ {followed} "
        f"{reform.effective_at:%Y-%m-%d} {reform.status}: {reform.sentence.zh} {reform.sentence.en}"
    )
    for each in reform.left:
        typer.echo(f"  {each.orders} 件 orders → {each.unit or '派单员 the desk'}")
