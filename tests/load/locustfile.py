"""The same calls from locust, for who starts load tests from it: its charts, its workers.

    make locust URL=http://127.0.0.1:8001 ARGS="--headless -u 20 -r 20 -t 30s --rate 20"

Each of locust's users is a line of the phone system: it takes the next call, waits until the call
is due, makes it and waits for the answer. Too few users, and calls come late. One process only:
every worker would replay all the calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, constant, events, task
from locust.exception import StopUser

from shared import clock
from tests.load.arrivals import at_random, replayed
from tests.load.calls import PhoneSystem

_calls: Iterator[float]
_started = clock.real()
_phone: PhoneSystem


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # locust is not seen here
def _arguments(parser: Any) -> None:
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second, at random")
    parser.add_argument("--arrivals", default="", help="replay the times of this CSV instead")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast")


@events.test_start.add_listener  # type: ignore[untyped-decorator]  # locust is not seen here
def _start(environment: Any, **_: object) -> None:
    global _calls, _phone, _started
    given = environment.parsed_options
    path, rate, speed = given.arrivals, given.rate, given.speed
    _calls = iter(replayed(Path(path), speed) if path else at_random(rate))
    _phone = PhoneSystem(os.environ["JIESU_TOKEN"])
    _started = clock.real()


class PhoneLine(FastHttpUser):  # type: ignore[misc]  # locust stands in an environment of its own
    """One line of the phone system."""

    wait_time = constant(0)
    network_timeout = connection_timeout = 20.0
    busy = 0  # lines that wait for their call or its answer

    @task  # type: ignore[untyped-decorator]  # locust is not seen here
    def call(self) -> None:
        """The next call, when it is due; the test ends with the last answer."""
        due = next(_calls, None)
        if due is None:
            if not PhoneLine.busy:
                gevent.spawn(self.environment.runner.quit)  # it ends this line, too
            raise StopUser
        PhoneLine.busy += 1
        try:
            gevent.sleep(max(0.0, due - (clock.real() - _started).total_seconds()))
            self._make()
        finally:
            PhoneLine.busy -= 1

    def _make(self) -> None:
        call = _phone.next()
        with self.client.request(
            call.method,
            call.path,
            data=call.body or None,
            headers=dict(call.headers),
            name=call.kind,
            catch_response=True,
        ) as answer:
            wrong = _phone.judge(call, answer.status_code, answer.content or b"")
            if wrong:
                answer.failure(wrong)
            else:
                answer.success()
