"""``make load``: calls to a system that runs, at a rate or as they once came, and what came of it.

The load is bounded in time, in number and in calls at once, and stops by itself. A call counts
from the moment it was meant to come: a server that falls behind cannot hide it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from shared.clock import pause
from tests.load.arrivals import NoArrivals, at_random, replayed
from tests.load.calls import TOO_MANY, Call, PhoneSystem
from tests.load.tally import Tally
from tests.load.wire import NoAnswer, Wire

LONGEST = 3_600.0
MOST = 1_000_000
AT_ONCE = 5_000  # calls in flight or in line
SOON = 0.001  # not worth a pause

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Load:
    """One load while it runs."""

    def __init__(self, wire: Wire, phone: PhoneSystem, seconds: float, count: int) -> None:
        self.tally = Tally()
        self._wire, self._phone = wire, phone
        self._seconds, self._count = seconds, count
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._started = asyncio.get_running_loop().time()

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return asyncio.get_running_loop().time() - self._started

    async def run(self, arrivals: Iterable[float]) -> None:
        """Send a call at every arrival, and wait for the last answer."""
        async with asyncio.TaskGroup() as calls:
            for due in arrivals:
                if due > self._seconds or self.tally.sent >= self._count:
                    break
                if due - self.passed > SOON:
                    await pause(due - self.passed)
                await self._turn.acquire()
                self.tally.sent += 1
                calls.create_task(self._call(self._phone.next(), due))

    async def _call(self, call: Call, due: float) -> None:
        try:
            status, answer = await self._wire.call(call)
            self.tally.limited += status == TOO_MANY
            wrong = self._phone.judge(call, status, answer)
        except NoAnswer as error:
            wrong = str(error)
        finally:
            self._turn.release()
        self.tally.add(call.kind, self.passed - due, wrong)

    async def tell(self) -> None:
        """Say every second where it stands."""
        end = "\r" if sys.stderr.isatty() else "\n"
        while True:
            await pause(1.0)
            typer.echo(self.tally.line(self.passed) + end, nl=False, err=True)


async def _load(
    url: str, token: str, arrivals: Iterable[float], seconds: float, count: int, lines: int
) -> int:
    wire = Wire(url, lines)
    load = Load(wire, PhoneSystem(token), seconds, count)
    telling = asyncio.create_task(load.tell())
    try:
        await load.run(arrivals)
    finally:  # also when it is interrupted
        telling.cancel()
        wire.close()
        typer.echo(f"\n{load.tally.table(load.passed)}")
    return int(load.tally.failed > 0 or not load.tally.done)


@cli.command()
def main(
    url: Annotated[str, typer.Option(help="intake's address")] = "",
    token: Annotated[str, typer.Option(envvar="JIESU_TOKEN", help="role phone_system")] = "",
    rate: Annotated[float | None, typer.Option(min=0.01, help="calls a second")] = None,
    csv: Annotated[Path | None, typer.Option(help="replay the times of a CSV instead")] = None,
    speed: Annotated[float, typer.Option(min=0.01, help="how many times as fast")] = 1.0,
    seconds: Annotated[float, typer.Option(min=0.1, max=LONGEST)] = 30.0,
    count: Annotated[int, typer.Option(min=1, max=MOST, help="calls at most")] = 100_000,
    lines: Annotated[int, typer.Option(min=1, max=1_000, help="connections at most")] = 64,
) -> None:
    """加压 Send the calls of a phone system; exit code 1 when an answer was not as owed."""
    if (rate is None) == (csv is None):
        raise _refusal("给出 RATE 或 CSV，二者取一 give RATE or CSV, one of them")
    try:
        arrivals = at_random(rate) if rate else replayed(csv or Path(), speed)
        code = uvloop.run(_load(url, token, arrivals, seconds, count, lines))
    except (NoArrivals, ValueError) as error:
        raise _refusal(str(error)) from None
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def _refusal(why: str) -> typer.Exit:
    typer.echo(why, err=True)
    return typer.Exit(2)


if __name__ == "__main__":
    cli()
