"""上级平台时限: a registration may say when the platform that passed it on wants the answer (WF-20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, post, registered

CITY = {"channel": "city", "source_number": "AK2026030200012"}


def ahead(intake: Bench, days: float) -> str:
    return (intake.now + timedelta(days=days)).isoformat()


async def test_the_moment_is_told_and_shown(intake: Bench) -> None:
    due = ahead(intake, 5)
    ticket = await registered(intake, **CITY, upstream_due=due)
    [told] = await intake.told("ticket.registered")
    assert told.data.upstream_due.isoformat() == due
    shown = (await intake.http("desk").get(f"/v1/tickets/{ticket['number']}")).json()
    assert shown["upstream_due"][:19] == due[:19]


@pytest.mark.parametrize(
    ("days", "source", "said"),
    [
        (-0.1, CITY, "须晚于现在"),
        (366, CITY, "不晚于"),
        (5, {"channel": "phone", "source_number": "A-1"}, "来源渠道"),
        (5, {"channel": "city"}, "来源编号"),
    ],
)
async def test_a_moment_that_cannot_be_one_is_refused(
    intake: Bench, days: float, source: dict[str, Any], said: str
) -> None:
    body = complaint(**source, upstream_due=ahead(intake, days))
    refused = await post(intake, "/v1/tickets", body)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("/upstream-due-wrong")
    assert said in refused.json()["detail"]
    assert await intake.told("ticket.registered") == []
