"""重演 The tracker's clocks, rebuilt from the fact log and compared with what stands."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from shared import clock
from shared.errors import ConfigError
from shared.settings import ServiceSettings
from shared.storage.act import Store

if TYPE_CHECKING:
    from operations.clocks import Found, Report, Span


def replay_clocks(
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=datetime.fromisoformat,
            help="tickets registered since, such as 2026-03-02T08:00+08:00",
        ),
    ] = None,
    ticket: Annotated[str | None, typer.Option(help="one ticket")] = None,
) -> None:
    """Rebuild every clock from the fact log and name each difference; exit code 1 when there is one."""
    from operations import clocks  # imports the tracker: no other command pays for it

    if since and since.tzinfo is None:
        raise ConfigError("--since needs its offset: 2026-03-02T08:00+08:00")
    names = sorted({clocks.TRACKER, *clocks.speakers()})
    with settings_by_name(names, **LOOKING) as settings:
        if len({its.database_url for its in settings.values()}) < len(names):
            raise ConfigError(
                "JIESU_DATABASE_URL: 须含 {service}，重演要读各服务的日志 it must hold {service}: "
                f"the logs of {', '.join(names)} are read"
            )
        report = asyncio.run(_replay(settings, clocks.Span(since, ticket)))
    _sum_up(report)
    raise typer.Exit(1 if report.differences else 0)


async def _replay(settings: Mapping[str, ServiceSettings], span: Span) -> Report:
    from operations import clocks

    report = clocks.Report()
    async with opened(settings, rules=False) as stores:
        tracker: Store[Any] = stores[clocks.TRACKER]
        tracker.config = settings[clocks.TRACKER].load()
        total = await clocks.count(stores, span)
        with typer.progressbar(length=total, label="重演 replay", file=sys.stderr) as bar:
            async for looked, found in clocks.compare(stores, span, report, clock.real()):
                for each in found:
                    _name(each)
                bar.update(looked)
    return report


def _name(found: Found) -> None:
    for each in found.differences:
        typer.echo(
            f"{found.ticket}  {each.about}  {each.what}:  "
            f"库中 stands {each.stands}  日志 log {each.log}"
        )


def _sum_up(report: Report) -> None:
    typer.echo(
        f"{report.tickets} 件工单，{report.clocks} 个时限，{report.facts} 条事实，"
        f"{report.differences} 处不同 tickets {report.tickets}, clocks {report.clocks}, "
        f"facts {report.facts}, differences {report.differences}"
    )
    if report.other_terms:
        typer.echo(
            f"{report.other_terms} 个时限按其起算时的规则，与现行规则不同 clocks under the terms on record: "
            "today's rules give others"
        )
    if report.on_their_way:
        typer.echo(
            f"{report.on_their_way} 个时限正在推进，未比对 clocks that are just being moved on, not compared"
        )
    if report.older:
        typer.echo(
            f"{report.older} 件工单早于日历版本的留存，未比对 tickets older than the versions of the "
            "calendar, not compared"
        )
