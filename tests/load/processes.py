"""Processes of a bench: one that serves HTTP, and what the processor and memory say of each."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.clock import pause
from tests.load.wire import NoAnswer, Wire

PATIENCE = 180.0  # seconds for a process to start or stop
LOOK = 0.02


class DidNotStart(Exception):
    """A process of the bench ended or was not ready in time; the message holds its last words."""


@dataclass(slots=True)
class Process:
    """One process that serves HTTP; ``started`` is how many seconds it took to be ready."""

    name: str
    popen: subprocess.Popen[bytes]
    wire: Wire
    log: Path
    started: float = 0.0

    async def ready(self, path: str) -> None:
        """Wait until a path answers 200. Raises DidNotStart."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        request = self.wire.encode("GET", path)
        while loop.time() - began < PATIENCE and self.popen.poll() is None:
            try:
                if (await self.wire.send(request))[0] == 200:
                    self.started = loop.time() - began
                    return
            except NoAnswer:
                pass
            await pause(LOOK)
        raise DidNotStart(f"{self.name}: {self.log.read_text()[-2000:]}")

    async def stop(self) -> None:
        """End it the way a supervisor does."""
        self.wire.close()
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            await asyncio.to_thread(self.popen.wait, PATIENCE / 2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    @property
    def cpu(self) -> float:
        """Seconds of processor it has used so far."""
        return seconds_of(family(psutil.Process(self.popen.pid)))

    @property
    def rss(self) -> float:
        """Its resident memory, in MB."""
        return float(psutil.Process(self.popen.pid).memory_info().rss / 2**20)


def seen(number: int, program: str) -> psutil.Process | None:
    """A server's process; None when its number is not one of this machine."""
    try:
        process = psutil.Process(number)
        return process if process.name().startswith(program) else None
    except psutil.NoSuchProcess:
        return None


def family(root: psutil.Process) -> set[psutil.Process]:
    """A process and all below it."""
    return {root, *root.children(recursive=True)}


def seconds_of(processes: Iterable[psutil.Process]) -> float:
    """Processor time of processes, and of those children of them that ended."""
    return sum(_seconds(processes))


def _seconds(processes: Iterable[psutil.Process]) -> Iterator[float]:
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        yield times.user + times.system + times.children_user + times.children_system
