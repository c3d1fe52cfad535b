"""演示 The demo: ten stories, then a month of a county's calls (``make demo``).

Jiesu runs embedded in a process of its own, once for the stories and once for the month, on the
stepped clock and on databases that are thrown away. The people (phone system, units, hotline
office) run here and meet it only over HTTP. Everything is seeded: the figures are the same on every
run, and their checksum says so.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import multiprocessing
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import uvicorn
import uvloop
from fastapi import FastAPI

from examples import (
    disputed,
    figures,
    reform_night,
    rings_first,
    spring_road,
    stories,
    summer_hours,
)
from examples.behaviour import Behaviour
from examples.connection import open_http, rest
from examples.county import Access, County
from examples.figures import Figures, Unit
from examples.month import Duty, cases
from examples.pothole import pothole
from examples.scene import CHINA, BrokenPromise, Citizens, Scene
from examples.volume import Month
from operations.runtime import embedded, postgres, reload
from operations.runtime.registry import NAMES
from operations.runtime.server import HOST, Server
from shared import clock
from shared.jurisdiction.codes import Units
from shared.jurisdiction.folder import calendar_of
from shared.jurisdiction.reader import read
from shared.observability import configure_logs
from shared.security.tokens import issue

CONFIG = Path(__file__).resolve().parent.parent / "config" / "ziyang"
START = datetime(2026, 3, 2, 8, 30, tzinfo=CHINA)
FIRST, LAST, DAYS = date(2026, 3, 1), date(2026, 5, 31), 92
FIRST_PORT, LAST_PORT = 20_000, 32_000  # below those the system gives out
READY_WITHIN, STOPPED_WITHIN = 60.0, 30.0  # seconds
FEWER_COLLECTIONS = (50_000, 20, 100)  # a short run with much memory to look through
WEEKDAYS = "一二三四五六日"

TOLD = (
    ("一  无事酒：举报、保密、一把手督办、当日办结  A banquet against the village rules", stories.banquet),
    ("二  开办茶企：一主三协，提前办结  A tea company to be opened", stories.tea_company),
    ("三  涉旅投诉：二十四小时  A tourist's complaint", stories.tourist),
    ("四  路面坑洞：迟签、黄牌、红牌、督办、重办  One that goes wrong", stories.gone_wrong),
    ("五  来电人先打来：当晚重开，不等回访  The caller who rings before we do", rings_first.rings_first),
    ("六  三个市民一个坑：并单、各自回访、一人不满意  Three citizens and one pothole", pothole),
    ("七  推诿的边沟：两次退单、联席会议裁决、先例  A drain two units push away", disputed.disputed),
)  # fmt: skip
# Told here only: these need the county's folder otherwise than it is.
AT_HOME = (
    *TOLD,
    (
        "八  机构改革之夜：两人决定、零点生效、一件不丢  A reform at night",
        reform_night.reform_night,
    ),
    (
        "九  夏令作息：周中改作息，发生过的不变，没到的顺延  Summer hours in the middle of a week",
        summer_hours.summer_hours,
    ),
    (
        "十  等开春的路：承诺办结，结案后到日子自己回来  A road that waits for spring",
        spring_road.spring_road,
    ),
)


# --- Jiesu, in a process of its own ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where one embedded system lives: its folders, its ports, the secret of its webhook.

    The phone system listens on the port after those of the services.
    """

    var: Path
    postgres: Path
    port: int
    secret: str

    @property
    def config(self) -> Path:
        """The county's folder."""
        return self.var / "config"

    @property
    def urls(self) -> dict[str, str]:
        """The services' addresses."""
        return {name: f"http://{HOST}:{self.port + n}" for n, name in enumerate(NAMES)}

    @property
    def phone_port(self) -> int:
        """Where requests to call go."""
        return self.port + len(NAMES)

    def access(self) -> Access:
        """What people are given, once the system has made its keys."""

        def token(role: str, unit: str | None) -> str:
            return issue(self.var / "keys", role, f"demo-{role}", unit, days=1)

        clocks = {"jiesu": self.urls["intake"]}
        return Access(self.urls, token, self.secret, clocks=clocks, change=self.change)

    def change(self, name: str, lines: str) -> str:
        """Add lines to a file of the county's folder, check it, and have it taken up; its configuration."""
        with (self.config / name).open("a", encoding="utf-8") as file:
            file.write(lines)
        checked = reload.check(self.config)
        reload.announce(checked)
        return checked.configuration


def be_system(place: Place) -> None:
    """What the other process does."""
    configure_logs("ERROR")
    uvloop.run(_serve(place))


async def _serve(place: Place) -> None:
    """Serve until we are told to stop, or whoever started us is gone."""
    parent = multiprocessing.parent_process()
    with postgres.start(place.postgres, durable=False) as server:
        async with embedded.system(
            place.var,
            server,
            place.port,
            START,
            config_dir=place.config,
            webhook_secret=place.secret,
            phone_system_url=f"http://{HOST}:{place.phone_port}/callbacks",
            relay_gather=0.004,
            feed_gather=0.004,
        ) as system:
            if parent:
                asyncio.get_running_loop().add_reader(parent.sentinel, system.stop.set)
            _collect_less()
            await asyncio.shield(system.ended)


def _collect_less() -> None:
    gc.freeze()
    gc.set_threshold(*FEWER_COLLECTIONS)


@contextmanager
def started() -> Iterator[tuple[Place, BaseProcess]]:
    """An embedded system starting in a process of its own; stopped and thrown away at the end."""
    with TemporaryDirectory() as var, TemporaryDirectory() as postgres:
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        place = Place(Path(var), Path(postgres), free_ports(len(NAMES) + 1), secret)
        reform_night.prepared(CONFIG, place.config)
        process = multiprocessing.get_context("spawn").Process(
            target=be_system, args=(place,), daemon=True
        )
        process.start()
        try:
            yield place, process
        finally:
            process.terminate()
            process.join(STOPPED_WITHIN)


def free_ports(count: int) -> int:
    """The first of so many neighbouring free ports, at random: somebody else may look for some."""
    while True:
        first = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
        if all(map(_is_free, range(first, first + count))):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


@asynccontextmanager
async def county_of(
    http: httpx.AsyncClient,
    running: tuple[Place, BaseProcess],
    people: Callable[[Access], County],
) -> AsyncIterator[County]:
    """The people around a system, once it is ready; their phone system takes calls."""
    place, process = running
    await _ready(http, place, process)
    county = people(place.access())
    async with answering(county.phone.receiver(), place.phone_port):
        yield county


async def _ready(http: httpx.AsyncClient, place: Place, process: BaseProcess) -> None:
    async with asyncio.timeout(READY_WITHIN):
        for url in place.urls.values():
            while not await _answers(http, url):
                if not process.is_alive():
                    raise BrokenPromise("系统没有启动 the system did not start")
                await rest(0.1)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/readyz")).is_success
    except httpx.TransportError:
        return False


@asynccontextmanager
async def answering(app: FastAPI, port: int, host: str = HOST) -> AsyncIterator[None]:
    """Serve an app here while the block lasts: the phone system takes requests to call."""
    config = uvicorn.Config(app, host, port, lifespan="off", log_config=None, access_log=False)
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving


# --- what is told ------------------------------------------------------------------------------


def say(text: str = "") -> None:
    """One line to whoever watches, at once."""
    print(text, flush=True)


class Telling:
    """What one part of the demo tells, line by line; it waits until the part's turn has come."""

    def __init__(self) -> None:
        self._waiting: list[str] | None = []

    def open(self, title: str) -> None:
        """Tell the title and what has waited, and from now on whatever comes at once."""
        for line in (f"\n{title}", *(self._waiting or ())):
            say(line)
        self._waiting = None

    def line(self, text: str) -> None:
        """One line."""
        if self._waiting is None:
            say(text)
        else:
            self._waiting.append(text)

    def tell(self, when: datetime, zh: str, en: str) -> None:
        """One thing that happened, with its time."""
        self.line(f"  {when:%m-%d} 周{WEEKDAYS[when.weekday()]} {when:%H:%M}  {zh}")
        self.line(f"                   {en}")


async def tell_stories(http: httpx.AsyncClient, running: tuple[Place, BaseProcess]) -> None:
    """The stories, in the order in which they happened."""
    citizens = Citizens()
    async with county_of(http, running, lambda given: County(http, given, citizens)) as county:
        for title, story in AT_HOME:
            telling = Telling()
            telling.open(title)
            await story(Scene(county, citizens, telling.tell))


async def run_month(
    http: httpx.AsyncClient, running: tuple[Place, BaseProcess], telling: Telling
) -> Figures:
    """The month's calls, until the last of them is closed; then the figures."""
    duty = Duty(calendar_of(CONFIG).is_working_day, FIRST, DAYS)
    known: dict[str, int] = {}
    behaviour = Behaviour(duty, known)

    def people(given: Access) -> County:
        return County(http, given, behaviour.citizen, behaviour.plan)

    async with county_of(http, running, people) as county:
        month = Month(county, behaviour, cases(duty), known, telling.tell)
        await county.stepper.run(people=month.people, agenda=month.agenda)
        steps = county.stepper.steps
        telling.line(f"  时钟走了 {steps} 步 the clock took {steps} steps")
        return await figures.gather(county.office, FIRST, LAST)


async def _tell_all(
    http: httpx.AsyncClient, one: tuple[Place, BaseProcess], other: tuple[Place, BaseProcess]
) -> Figures:
    """The month passes while the stories are told, and is told after them."""
    telling = Telling()
    month = asyncio.create_task(run_month(http, other, telling))
    try:
        await tell_stories(http, one)
        telling.open("十一  一个月：约五百五十件  A month of the county's volume")
        return await month
    finally:
        month.cancel()


async def demo() -> int:
    """Tell everything; 1 when a promise was broken."""
    began = clock.real()
    say(
        "接诉 Jiesu：十个故事与一个月 ten stories and a month. 时间为步进时钟 on the stepped clock."
    )
    units = {
        unit.code: Unit(unit.name, unit.kind) for unit in read(CONFIG / "units.yaml", Units).units
    }
    with started() as one, started() as other:
        async with open_http() as http:
            found = await _tell_all(http, one, other)
    say(f"\n{figures.report(found, units)}\n")
    say(f"校验 checksum of the figures: {found.checksum}")
    say(f"用时 took {(clock.real() - began).total_seconds():.0f} s")
    for promise in found.broken:
        say(f"失信 broken: {promise}")
    return 1 if found.broken else 0


def main() -> None:
    """Run the demo; Ctrl-C ends it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _collect_less()
    try:
        code = uvloop.run(demo())
    except BrokenPromise as broken:
        say(f"失信 broken: {broken}")
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
