"""工作日历 The working calendar: a year's notice, the place's own days, and which version holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from operations import notices
from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.commands.signing import CONFIG
from services.tracker import calendars
from shared import clock
from shared.errors import ConfigError
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.folder import CALENDAR, CalendarRules, Folder, calendar_of
from shared.jurisdiction.holidays import LOCAL, LocalDay, LocalDays, Notice
from shared.jurisdiction.reader import Text, bytes_of
from shared.settings import ServiceSettings

BAR = 20  # characters
PATIENCE = 600  # seconds that `status --wait` waits

Into = Annotated[Path, typer.Option(envvar="JIESU_CONFIG_DIR", help="the county's folder")]
Replace = Annotated[bool, typer.Option(help="instead of what stands there and says otherwise")]
Units = Annotated[list[str] | None, typer.Option("--unit", help="of this unit only; repeat it")]

cli = typer.Typer(no_args_is_help=True, help="工作日历 The working calendar.")
local = typer.Typer(no_args_is_help=True, help="本地放假、上班日 Days the place itself ordered.")
cli.add_typer(local, name="local")


@cli.command("import")
def import_notice(
    file: Annotated[Path, typer.Argument(help="JSON as NateScarlet/holiday-cn writes it")],
    into: Into = CONFIG,
    replace: Replace = False,
) -> None:
    """放假通知: check a year's notice, show what it changes and write it into calendar/, the file before
    as YYYY.json~. Exit code 2 and nothing written when it is wrong, or contradicts without --replace.
    """
    raw = bytes_of(file)
    text = Text(str(file), raw)
    notice = text.model(Notice)
    if notice and not text.faults:
        text.faults += (text.fault(*found) for found in notices.faults(notice, file.name))
    if notice is None or text.faults:
        raise _refused(text)
    folder = Folder.take(into)
    files = folder.read(CalendarRules).calendar
    against = [text.fault(*found) for found in notices.contradictions(notice, files)]
    if against and not replace:
        text.faults += against
        raise ConfigError(f"{_refused(text)}\n确要改用 if it is meant: --replace")
    for fault in against:
        typer.echo(str(fault))
    _take_up(folder, f"{CALENDAR}/{notice.year}.json", raw)
    missing = "、".join(sorted(notice.unarranged))
    if not notice.settles_its_year:
        typer.echo(f"{notice.year} 年仍为暂定，缺 the year stays provisional, without: {missing}")


@local.command("add")
def add(
    day: Annotated[str, typer.Argument(help="2026-07-14")],
    name: Annotated[str, typer.Option(help="防汛停工")],
    off: Annotated[bool, typer.Option("--off/--on", help="nobody works, or everybody does")],
    paper: Annotated[str, typer.Option(help="the paper it goes by: 紫汛〔2026〕7号")],
    by: Annotated[str, typer.Option(help="who ordered it: 县防汛抗旱指挥部")],
    unit: Units = None,
    into: Into = CONFIG,
    replace: Replace = False,
) -> None:
    """Write a day off or on into calendar/local.yaml; it goes before the year's notice."""
    folder = Folder.take(into)
    rows = list(folder.read(CalendarRules).calendar.local.days)
    if replace:
        rows = [row for row in rows if not _is(row, day, unit)]
    new = {"date": day, "name": name, "off": off, "paper": paper, "by": by}
    changed = _take_up(
        folder,
        f"{LOCAL}.yaml",
        _written(folder, [*map(_row, rows), new | ({"units": unit} if unit else {})]),
        must_change=not replace,
    )
    if changed and date.fromisoformat(day) < clock.real().date():
        typer.echo("该日已过，时限不再变动 the day is over: no clock moves for it")


@local.command("remove")
def remove(
    day: Annotated[str, typer.Argument(help="2026-07-14")], unit: Units = None, into: Into = CONFIG
) -> None:
    """Take a day out of calendar/local.yaml, which is kept as local.yaml~."""
    folder = Folder.take(into)
    rows = folder.read(CalendarRules).calendar.local.days
    left = [row for row in rows if not _is(row, day, unit)]
    if len(left) == len(rows):
        raise ConfigError(f"{into / LOCAL}.yaml: 没有这一天 no such day: {day} {unit or ''}")
    _take_up(folder, f"{LOCAL}.yaml", _written(folder, list(map(_row, left))))


@cli.command("status")
def status(
    into: Into = CONFIG,
    wait: Annotated[bool, typer.Option(help="until every open clock runs under it")] = False,
) -> None:
    """Which version holds, since when, and how many open clocks run under an earlier one yet."""
    with settings_by_name(("tracker",), **LOOKING) as settings:
        done = asyncio.run(_status(settings, calendar_of(into), wait=wait))
    if not done and wait:
        raise typer.Exit(1)


# --- the folder ----------------------------------------------------------------------------------


def _take_up(folder: Folder, name: str, raw: bytes, *, must_change: bool = False) -> bool:
    """Write a file of the calendar if the folder is sound with it, and tell what it changes.

    Raises ConfigError, and nothing is written.
    """
    before = folder.read(CalendarRules).work_calendar()
    with_it = replace(folder, files={**folder.files, name: raw})
    lines = list(notices.differences(before, with_it.read(CalendarRules).work_calendar()))
    if must_change and not lines:
        raise ConfigError("本来如此，什么都没有改变 it is so already: nothing would change")
    path = folder.path / name
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.with_name(f"{path.name}~").write_bytes(path.read_bytes())
    new = path.with_name(f".{path.name}")
    new.write_bytes(raw)
    new.replace(path)  # a folder that is read meanwhile has the one or the other
    for line in lines:
        typer.echo(line)
    typer.echo(f"{path}: 已写入，改变 written, days that change: {len(lines)}")
    typer.echo(f"换用 take it up: make reload, or python -m services reload {folder.path}")
    return bool(lines)


def _refused(text: Text) -> ConfigError:
    return ConfigError("\n".join(map(str, sorted(set(text.faults)))))


def _is(row: LocalDay, day: str, units: Sequence[str] | None) -> bool:
    return str(row.date) == day and set(row.units) == set(units or ())


def _row(row: LocalDay) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude_defaults=True)


def _written(folder: Folder, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """calendar/local.yaml with these days, under the comment it begins with. Raises ConfigError."""
    name = f"{LOCAL}.yaml"
    head: list[str] = []
    for line in folder.files.get(name, b"").decode("utf-8-sig").splitlines():
        if not line.startswith("#"):
            break
        head.append(line)
    ordered = sorted(rows, key=lambda row: str(row["date"]))
    days = [f"  - {_flow(row)}" for row in ordered]
    raw = "\n".join([*head, "days:" if days else "days: []", *days, ""]).encode()
    text = Text(str(folder.path / name), raw)
    text.model(LocalDays)
    if text.faults:
        raise _refused(text)
    return raw


def _flow(row: Mapping[str, Any]) -> str:
    pairs = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in row.items())
    return f"{{{', '.join(pairs)}}}"


# --- the tracker ---------------------------------------------------------------------------------


async def _status(
    settings: Mapping[str, ServiceSettings], folder: WorkCalendar, *, wait: bool
) -> bool:
    """Tell how far the open clocks are; whether all are."""
    until = clock.real().timestamp() + (PATIENCE if wait else 0)
    async with opened(settings, rules=False) as stores:
        while True:
            async with stores["tracker"].act("ops") as act:
                found = await calendars.progress(act)
            for line in _said(found, folder):
                typer.echo(line)
            done = bool(found.versions) and not found.behind
            if done or clock.real().timestamp() >= until:
                return done
            await clock.pause(1.0)


def _said(found: calendars.Progress, folder: WorkCalendar) -> Iterable[str]:
    if not found.versions:
        yield "还没有版本 no version yet: the tracker has not run with this database"
        return
    last = found.versions[-1]
    since = last.since.astimezone(folder.tz)
    holds = "现行 holds" if found.holding == last.number else "即将生效 takes hold"
    yield f"第{last.number}版 version {last.number} {holds}, {since:%Y-%m-%d %H:%M:%S} 起 since"
    if last.digest != calendars.digest_of(folder):
        yield "文件夹中的日历尚未换用 the folder's calendar is another: make reload"
    full = BAR * found.following // found.open if found.open else BAR
    bar = "█" * full + "░" * (BAR - full)
    yield f"{bar} {found.following} / {found.open} 个时限已按此版 open clocks run under it"
    for number, count in found.behind.items():
        which = f"第{number}版 version {number}" if number else "更早的程序 an earlier release"
        yield f"  {which}: {count}"
