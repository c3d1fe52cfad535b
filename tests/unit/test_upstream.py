"""An upstream platform's limit is kept, with a margin (WF-20): when the clocks of a ticket are due then."""

from __future__ import annotations

from typing import Any

import pytest

from services.tracker.rules import extension
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.explanation import explain
from services.tracker.rules.extension import Asking, ExtensionPastUpstream
from services.tracker.rules.paragraph import paragraph
from services.tracker.rules.pauses import Pause
from shared.events import ClockKind, LegalLimit, Limits, Role, UpstreamLimit, Urgency
from tests.fixtures.calendars import SHANGHAI
from tests.fixtures.scenes.handle_clock import CALENDARS, MATTER, POLICY, at, local, state


def wanted(due: str, margin: str | None = "4wh", **what: Any) -> ClockState:
    """A handle clock of Monday ten o'clock, of what a platform wants answered by a moment."""
    upstream = UpstreamLimit(due=at(due), margin=margin)
    return state(ground=Limits(upstream=upstream), **what)


@pytest.mark.parametrize(
    ("due", "what", "ends"),
    [
        ("03-05 18:00", {}, "03-05 14:00"),  # shorter than its own five days
        ("03-12 18:00", {}, "03-12 14:00"),  # longer: the platform's limit is kept
        ("05-29 18:00", {}, "03-23 18:00"),  # never beyond what handling may take in all
        ("03-02 12:00", {}, "03-02 12:00"),  # no time for the margin
        ("03-02 09:00", {}, "03-09 18:00"),  # it waits in vain already
        ("03-12 18:00", {"limit": "24h", "urgency": Urgency.URGENT}, "03-03 10:00"),
        ("03-03 09:00", {"limit": "24h", "urgency": Urgency.URGENT}, "03-02 14:30"),
        ("03-12 18:00", {"limit": "3wd", "role": Role.CO}, "03-05 18:00"),
    ],
)
def test_the_limit_of_the_platform_is_kept_less_the_margin(
    due: str, what: dict[str, Any], ends: str
) -> None:
    """DOMAIN.md 2.2, WF-20; what runs on natural time, and a co-handler's share, are only shortened."""
    assert local(wanted(due, **what).due) == ends


@pytest.mark.parametrize(
    ("until", "ends"), [("03-04 16:00", "03-05 18:00"), ("03-06 10:00", "03-10 12:00")]
)
def test_a_pause_takes_the_margin_and_does_not_put_off_the_platform(until: str, ends: str) -> None:
    """Unless it lasted until after that: nobody is late before he may go on."""
    pause = Pause(at("03-03 10:00"), at(until))
    assert local(wanted("03-05 18:00", pauses=(pause,)).due) == ends


@pytest.mark.parametrize(("margin", "until"), [("4wh", "03-06 16:00"), (None, None)])
def test_a_pause_after_the_platforms_moment_washes_no_miss(
    margin: str | None, until: str | None
) -> None:
    """DOMAIN.md 5.3 row 3: the unit was late when the clock stood still again."""
    before = Pause(at("03-03 10:00"), at("03-04 16:00"))
    after = Pause(at("03-06 10:00"), at(until) if until else None)
    assert local(wanted("03-05 18:00", margin, pauses=(before, after)).due) == "03-05 18:00"


def test_a_law_prevails_over_the_platform() -> None:
    """JN-24(2)."""
    law = LegalLimit(law="《劳动保障监察条例》", article="第十七条", limit="60wd")
    ground = Limits(law=law, upstream=UpstreamLimit(due=at("03-05 18:00"), margin="4wh"))
    clock = state(limit="60wd", ground=ground)
    assert local(clock.due) == "05-28 18:00"
    assert clock.terms.cap is None


def said(clock: ClockState) -> tuple[str, str]:
    why = explain(clock, CALENDARS)
    zh, en = paragraph(ClockKind.HANDLE, clock, why, SHANGHAI)
    return zh, en


def test_both_moments_and_what_decided_are_explained() -> None:
    zh, en = said(wanted("03-05 18:00"))
    assert "应于2026年3月5日14:00前办结" in zh
    assert "上级平台要求于2026年3月5日18:00前答复，须提前4小时（工作时间）办结，按此到期" in zh
    assert "wants the answer by 2026-03-05 18:00, and has to have it 4 working hours before" in en
    zh, en = said(wanted("03-12 18:00", limit="24h", urgency=Urgency.URGENT))
    assert "上级平台要求于2026年3月12日18:00前答复，本时限不因此改变" in zh
    assert "which does not change this" in en
    zh, _ = said(wanted("05-29 18:00"))
    assert "自登记起办理总时限不超过15个工作日，按此到期" in zh
    assert "本时限不因此改变" in zh


def test_an_extension_does_not_go_past_the_platform() -> None:
    """R-18: more time than the platform gives only the platform gives."""
    asking = Asking(3, wanted("03-12 18:00"), Urgency.NORMAL, False, (), at("03-04 10:00"))
    with pytest.raises(ExtensionPastUpstream) as refused:
        extension.check(asking, MATTER, POLICY)
    assert "2026年3月12日18:00" in str(refused.value)
