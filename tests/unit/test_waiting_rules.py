"""等待诉求人: who may ask to wait for the citizen (WF-21)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.dispatcher.rules import waiting
from services.dispatcher.rules.waiting import WaitContext
from shared.events import Role
from tests.fixtures.scenes.tracker import at

NOW = at("03-03 10:00")
USUAL = WaitContext(
    offered=True, role=Role.LEAD, stands_still=True, redo=False, waited=False, latest=NOW
)


def test_a_lead_may_to_the_last_moment() -> None:
    assert waiting.barred(USUAL, NOW) is None


@pytest.mark.parametrize(
    ("given", "slug", "because"),
    [
        ({"offered": False}, "wait-not-offered", "policy"),
        ({"role": Role.CO}, "wait-not-offered", "role"),
        ({"latest": None}, "wait-not-offered", "role"),
        ({"stands_still": False}, "wait-not-offered", "urgency"),
        ({"redo": True}, "wait-not-offered", "redo"),
        ({"waited": True}, "waited-before", None),
        ({"latest": NOW - timedelta(seconds=1)}, "wait-too-late", None),
    ],
)
def test_others_may_not(given: dict[str, Any], slug: str, because: str | None) -> None:
    refused = waiting.barred(USUAL._replace(**given), NOW)
    assert refused is not None
    assert (refused.slug, refused.extra.get("because")) == (slug, because)
