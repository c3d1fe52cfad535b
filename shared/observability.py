"""What operators see: JSON logs with ticket and trace ids, and metrics.

A trace starts at a door and travels in every fact's ``traceparent``, copied by construction: use
cases never touch it. No log line carries a person's name, phone or home address, so errors are
logged by kind and place, not by their values.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_trace: ContextVar[str | None] = ContextVar("traceparent", default=None)
_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default={})  # noqa: B039
OURS = re.compile(r"(services|shared|operations)/[\w/]+\.py$")
UNSEEN = re.compile(
    r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent() -> str | None:
    """The current W3C trace context, if a door has opened one."""
    return _trace.get()


def new_traceparent() -> str:
    """A trace that nothing else belongs to."""
    random = secrets.token_hex(24)  # asked of the system once
    return f"00-{random[:32]}-{random[32:]}-01"


def trace(parent: str | None, **bound: Any) -> AbstractContextManager[None]:
    """Work under a trace: the given one if it is well formed, else a new one.

    ``bound`` (service, ticket …) stands in every log line inside.
    """
    known = parent if parent and TRACEPARENT.fullmatch(parent) else None
    return _Trace(known or new_traceparent(), bound)


class _Trace(AbstractContextManager[None]):
    """Two variables set for a while; as a generator it would cost every request twice as much."""

    def __init__(self, current: str, bound: Mapping[str, Any]) -> None:
        self._current, self._with = current, bound

    def __enter__(self) -> None:
        bound = {**_bound.get(), "trace": self._current[3:35], **self._with}
        self._tokens = _trace.set(self._current), _bound.set(bound)

    def __exit__(self, *_: object) -> None:
        outer_trace, outer_bound = self._tokens
        _trace.reset(outer_trace)
        _bound.reset(outer_bound)


def place(error: BaseException) -> str:
    """An error's kind and where it was raised, without its message: messages may hold values."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    frames = traceback.extract_tb(error.__traceback__)
    ours = [(OURS.search(frame.filename), frame) for frame in frames]
    for file, frame in reversed(ours):
        if file:
            return f"{kind} at {file[0]}:{frame.lineno} in {frame.name}"
    return kind


def _without_words(_: Any, __: str, entry: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A library's error, too, by kind and place; asyncio repeats it below its first line."""
    if info := entry.pop("exc_info", None):
        entry["event"] = str(entry["event"]).partition("\n")[0]
        entry["why"] = place(info[1])
    return entry


def _with_bound(_: Any, __: str, entry: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """What the line says, and what stands in every line of its trace."""
    for name, value in _bound.get().items():
        entry.setdefault(name, value)
    return entry


_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode


def _one_line(_: Any, __: str, entry: Mapping[str, Any]) -> str:
    """JSON that stays one line in every viewer and moves no cursor: JSON itself escapes only what
    stands below U+0020.
    """
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", _encode(entry))


def configure_logs(level: str = "INFO") -> None:
    """One JSON object per line on standard output, also for the libraries' own logs."""
    chain: list[Any] = [
        _with_bound,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*chain, _one_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_words,
            _one_line,
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


log: Any = structlog.get_logger()


class Metrics:
    """One service's metrics on a registry of its own: four services may share a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = self._counter("requests", "HTTP requests", "method", "route", "status")
        self.seconds = Histogram(
            "jiesu_request_seconds", "HTTP request time", ["route"], registry=self.registry
        )
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.received = self._counter("facts_received", "facts the bus handed over")
        self.relayed = self._counter("facts_relayed", "facts the broker confirmed")
        self.ran = self._counter("job_moves", "what the jobs moved", "job")
        self.unsent = self._gauge("outbox_unsent", "facts that wait to be relayed")
        self.oldest = self._gauge("outbox_oldest_seconds", "age of the oldest of them")
        self.waiting = self._gauge("retry_waiting", "facts that will be tried again")
        self.dead = self._gauge("retry_dead", "facts that need a person")
        self.newer = self._gauge("retry_newer", "facts that wait for a newer release")
        self.database = self._gauge("database_up", "whether the database answers and can write")
        self.broker = self._gauge("broker_up", "whether the broker answers")
        self.queued = self._gauge("queue_waiting", "facts in this service's queue")
        self.late = self._gauge("job_late_seconds", "how long a job's next work is overdue", "job")
        self.stuck = self._gauge("stuck", "what the morning page lists, up to 1000", "question")

        self.refused = self._counter("configuration_refused", "changed rules that were refused")
        self._build = Gauge(
            "jiesu_build_info",
            "which code and which rules run",
            ["release", "configuration"],
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        series = self._answers.get((method, route, status))
        if series is None:
            count = self.requests.labels(method, route, str(status))
            series = self._answers[method, route, status] = count, self.seconds.labels(route)
        series[0].inc()
        series[1].observe(seconds)

    def runs(self, release: str, configuration: str) -> None:
        """Say which code and which rules run."""
        self._build.clear()
        self._build.labels(release, configuration).set(1)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"jiesu_{name}", says, labels, registry=self.registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"jiesu_{name}", says, labels, registry=self.registry)
