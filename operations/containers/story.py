"""``make story``: seven stories on containers, over HTTP and AMQP, on the stepped clock.

A Compose project of its own, thrown away at the end. Each container has a clock; the stepper moves
them together. Two units take their orders from the broker, each as a user who may read its queue
and nothing else; the phone system stands on this machine, where feedback finds it.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

from examples.county import Access, County
from examples.demo import START, TOLD, Telling, answering, free_ports, say
from examples.scene import Citizens, Scene
from operations.containers.command import command
from operations.containers.compose import Project
from operations.containers.counted import Counted, open_http
from operations.containers.trials import started, trial
from shared import clock

CONNECTED = ("HC", "ZJJ")  # units that take their orders from the broker
MACHINE = "host.docker.internal"  # this machine, as containers name it
PAUSE = 0.1  # seconds between two looks: a fact may be on its way
FIND = f"import socket; print(socket.gethostbyname('{MACHINE}'))"


def broker_of(project: Project, unit: str) -> str:
    """Where a unit takes its orders, as the user that may read its queue and nothing else."""
    password, port = project.secret(f"UNIT_{unit}_BROKER_PASSWORD"), project.secret("BROKER_PORT")
    return f"amqp://unit.{unit}:{password}@127.0.0.1:{port}/jiesu"


def seen_from_inside(project: Project) -> str:
    """Our address on which containers reach this machine; loopback where the engine forwards."""
    address = project.compose("exec", "-T", "feedback", "python", "-c", FIND).strip()
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return "127.0.0.1"
    return address


async def tell_stories(project: Project, phone_port: int) -> None:
    """Everybody of the county, around the containers. Raises BrokenPromise."""
    citizens = Citizens()
    access = Access(project.urls, project.token, project.secret("WEBHOOK_SECRET"))
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(Counted()))
        county = County(http, access, citizens, pause=PAUSE)
        for code in CONNECTED:
            queue = broker_of(project, code)
            await stack.enter_async_context(county.unit(code).facts.consuming(queue))
        host = seen_from_inside(project)
        await stack.enter_async_context(answering(county.phone.receiver(), phone_port, host))
        for title, story in TOLD:
            telling = Telling()
            telling.open(title)
            await story(Scene(county, citizens, telling.tell))


def story() -> int:
    """Tell the stories; the exit code."""
    port = free_ports(1)
    project = trial(
        "story",
        JIESU_CLOCK="simulated",
        JIESU_CLOCK_START=START.isoformat(),
        JIESU_ALLOW_PLAIN_WEBHOOKS="true",
        JIESU_PHONE_SYSTEM_URL=f"http://{MACHINE}:{port}/callbacks",
        JIESU_ALLOW_PRIVATE_WEBHOOKS="true",
    )
    began = clock.real()
    say("启动容器 starting containers …")
    with started(project):
        ready = clock.real()
        say(f"{(ready - began).total_seconds():.0f} 秒后就绪 healthy after that many seconds")
        asyncio.run(tell_stories(project, port))
        say(f"\n七个故事讲完 told in {(clock.real() - ready).total_seconds():.0f} s")
    return 0


if __name__ == "__main__":
    command(story)
