"""Extensions: what one does to a clock, who may ask, how often it is ruled on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.tracker.rules import extension
from services.tracker.rules.extension import RULINGS, Asking, ExtensionStatus, Ruling
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.pauses import Pause
from services.tracker.rules.supervision import Supervision
from shared.errors import JiesuError, MoveRefused
from shared.events import DeadlineAnnulled, DeadlineMet, DeadlineMoved, SupervisionClosed, Urgency
from tests.fixtures.policy import SUPERVISION, changed
from tests.fixtures.scenes.handle_clock import (
    MATTER,
    POLICY,
    after_sweep,
    at,
    local,
    said_of,
    state,
    told,
)

# --- what it does ------------------------------------------------------------------------------


def test_an_extension_moves_the_due_moment_and_warns_anew() -> None:
    warned = after_sweep(state(), at("03-09 10:00"))
    longer = state(warned, extension=3)
    assert told(warned, longer, "03-09 10:00") == ["deadline.moved@03-09 10:00"]
    assert local(longer.due) == "03-12 18:00"
    assert longer.next_at == at("03-11 18:00")


def test_an_extension_ruled_late_takes_the_breach_back() -> None:
    swept = after_sweep(state(), at("03-10 10:00"))
    longer = state(swept, extension=3)
    facts = said_of(swept, longer, "03-10 10:00")
    annulled, closed, moved = (fact.data for fact in facts)
    assert isinstance(annulled, DeadlineAnnulled)
    assert annulled.due == at("03-09 18:00")
    assert isinstance(closed, SupervisionClosed)
    assert isinstance(moved, DeadlineMoved)
    assert (moved.before, moved.due) == (at("03-09 18:00"), at("03-12 18:00"))
    assert longer.breached_at is None


def test_an_extension_ruled_after_a_late_answer_makes_it_timely() -> None:
    late = state(met_at=at("03-11 09:00"))
    timely = state(late, met_at=at("03-11 09:00"), extension=3)
    met = said_of(late, timely)[-2:]
    assert [type(fact.data) for fact in met] == [DeadlineMet, DeadlineMoved]
    assert isinstance(met[0].data, DeadlineMet)
    assert not met[0].data.late
    assert timely.judged_at == at("03-11 09:00")


# --- asking ------------------------------------------------------------------------------------


def asking(**what: Any) -> Asking:
    """Three days more, asked on Wednesday of a clock due on Monday evening."""
    given: dict[str, Any] = {
        "days": 3,
        "clock": state(),
        "urgency": Urgency.NORMAL,
        "redo": False,
        "before": (),
        "now": at("03-04 10:00"),
    }
    return Asking(**given | what)


ASKED, GRANTED, REFUSED, LAPSED = ExtensionStatus
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "a second while the first waits": ({"before": (ASKED,)}, "extension-asked-before"),
    "a second after a refusal": ({"before": (REFUSED,)}, "extension-asked-before"),
    "a second after one that lapsed": ({"before": (LAPSED,)}, "extension-asked-before"),
    "a third": ({"before": (GRANTED, GRANTED)}, "extension-asked-before"),
    "a second of eight days": (
        {"before": (GRANTED,), "days": 8, "clock": state(extension=1)},
        "extension-too-long",
    ),
    "a second over fifteen days in all": (
        {"before": (GRANTED,), "days": 4, "clock": state(extension=7)},
        "extension-over-cap",
    ),
    "a second less than four hours before the moved moment": (
        {"before": (GRANTED,), "clock": state(extension=3), "now": at("03-12 14:00:01")},
        "extension-too-late",
    ),
    "paused": ({"clock": state(pauses=(Pause(at("03-03 10:00")),))}, "move-refused"),
    "met": ({"clock": state(met_at=at("03-03 10:00"))}, "move-refused"),
    "urgent": ({"urgency": Urgency.URGENT}, "extension-not-for-urgency"),
    "critical": ({"urgency": Urgency.CRITICAL}, "extension-not-for-urgency"),
    "redo": ({"redo": True}, "extension-not-on-redo"),
    "less than four working hours before": ({"now": at("03-09 14:00:01")}, "extension-too-late"),
    "expired": ({"now": at("03-10 10:00")}, "extension-too-late"),
    "eight days": ({"days": 8}, "extension-too-long"),
    "over fifteen days in all": (
        {"days": 6, "clock": state(limit="10wd")},
        "extension-over-cap",
    ),
    "what takes fifteen days already": (
        {"days": 1, "clock": state(limit="15wd"), "urgency": Urgency.COMPLEX},
        "extension-over-cap",
    ),
}


@pytest.mark.parametrize(("what", "slug"), REFUSALS.values(), ids=REFUSALS)
def test_each_extension_refused_has_its_named_error(what: dict[str, Any], slug: str) -> None:
    """R-18 延期."""
    with pytest.raises(JiesuError) as refused:
        extension.check(asking(**what), MATTER, POLICY)
    assert (refused.value.slug, refused.value.status) == (slug, 409)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("urgent", "应于2026年3月9日18:00前办结"),
        ("redo", "应于2026年3月9日18:00前办结"),
        ("expired", "延期最迟应于2026年3月9日14:00申请（2026年3月9日18:00到期）"),
        ("eight days", "一次延期不得超过7个工作日，即最迟延至2026年3月18日18:00"),
        ("a second of eight days", "再次延期不得超过7个工作日，即最迟延至2026年3月19日18:00"),
        ("over fifteen days in all", "办理总时限不得超过15个工作日，即2026年3月23日18:00"),
    ],
)
def test_a_refusal_names_the_rule_and_the_latest_moment_in_words(what: str, words: str) -> None:
    with pytest.raises(JiesuError) as refused:
        extension.check(asking(**REFUSALS[what][0]), MATTER, POLICY)
    assert words in refused.value.detail


@pytest.mark.parametrize(
    "what",
    [
        {"days": 7},
        {"now": at("03-09 14:00")},
        {"days": 5, "clock": state(limit="10wd")},
        {"before": (GRANTED,), "days": 3, "clock": state(extension=7)},
        {"before": (GRANTED,), "clock": state(extension=3), "now": at("03-12 14:00")},
    ],
)
def test_an_extension_within_the_rules_may_be_asked(what: dict[str, Any]) -> None:
    extension.check(asking(**what), MATTER, POLICY)


@pytest.mark.parametrize(("days", "allowed"), [(10, True), (11, False)])
def test_an_enterprise_complaint_may_have_ten_days_more(days: int, allowed: bool) -> None:
    enterprise = MATTER.model_copy(update={"flags": ("enterprise",)})
    if allowed:
        extension.check(asking(days=days), enterprise, POLICY)
    else:
        with pytest.raises(extension.ExtensionTooLong):
            extension.check(asking(days=days), enterprise, POLICY)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ((ASKED,), "首次延期批准后方可再次申请"),
        ((REFUSED,), "首次延期未获批准"),
        ((LAPSED,), "首次延期已失效"),
        ((GRANTED, GRANTED), "已申请过两次延期"),
    ],
)
def test_who_may_not_ask_again_is_told_which_rule(before: Any, words: str) -> None:
    with pytest.raises(extension.ExtensionAskedBefore, match=words):
        extension.check(asking(before=before), MATTER, POLICY)


def test_a_policy_without_a_second_gives_one_alone() -> None:
    once = changed(SUPERVISION, "extension", "second", to=None)
    policy = replace(POLICY, rules=Supervision.model_validate(once))
    with pytest.raises(extension.ExtensionAskedBefore, match="每次派单只能申请一次延期"):
        extension.check(asking(before=(GRANTED,)), MATTER, policy)


# --- ruling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ruling", Ruling)
@pytest.mark.parametrize("status", ExtensionStatus)
def test_an_extension_is_ruled_on_once(status: ExtensionStatus, ruling: Ruling) -> None:
    if status is ExtensionStatus.ASKED:
        assert extension.rule(status, ruling, ClockStatus.RUNNING) is RULINGS[status][ruling]
    else:
        with pytest.raises(MoveRefused):
            extension.rule(status, ruling, ClockStatus.RUNNING)


@pytest.mark.parametrize(
    ("clock", "granted"),
    [
        (ClockStatus.RUNNING, True),
        (ClockStatus.PAUSED, True),
        (ClockStatus.MET, True),
        (ClockStatus.CANCELLED, False),
    ],
)
def test_an_extension_is_granted_on_what_is_not_cancelled(
    clock: ClockStatus, granted: bool
) -> None:
    assert extension.rule(ExtensionStatus.ASKED, Ruling.REFUSE, clock) is ExtensionStatus.REFUSED
    if granted:
        assert extension.rule(ExtensionStatus.ASKED, Ruling.GRANT, clock) is ExtensionStatus.GRANTED
    else:
        with pytest.raises(MoveRefused):
            extension.rule(ExtensionStatus.ASKED, Ruling.GRANT, clock)


@pytest.mark.parametrize(("given", "granted"), [(None, 5), (5, 5), (1, 1)])
def test_fewer_days_may_be_granted_than_were_asked_for(given: int | None, granted: int) -> None:
    assert extension.days_granted(5, given) == granted


def test_more_days_than_were_asked_for_are_refused_with_their_number() -> None:
    with pytest.raises(extension.MoreThanAsked) as refused:
        extension.days_granted(5, 6)
    assert (refused.value.status, refused.value.extra["asked"]) == (422, 5)
