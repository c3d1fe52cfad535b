"""A due moment in one paragraph, Chinese and English (gain 1)."""

from __future__ import annotations

from typing import Any

import pytest

from services.tracker.rules.explanation import explain
from services.tracker.rules.paragraph import DUTIES, paragraph
from services.tracker.rules.pauses import Pause
from shared.events import ClockKind
from tests.fixtures.calendars import SHANGHAI
from tests.fixtures.scenes.handle_clock import CALENDARS, after_sweep, at, state

FIRST_DAY = "开始当日不计入（《民法典》第二百零一条）。"
NOTICE = "https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm"
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a weekend": (
        {},
        f"办理时限5个工作日，自2026年3月2日10:00起算，{FIRST_DAY}3月7日至8日休息日，不计入。应于2026年3月9日18:00前办结。",
    ),
    "a pause and an extension": (
        {"pauses": (Pause(at("03-04 10:00"), at("03-04 16:00")),), "extension": 3},
        f"办理时限5个工作日，自2026年3月2日10:00起算，{FIRST_DAY}3月7日至8日休息日，不计入。2026年3月4日10:00至16:00暂停计时，"
        "期限顺延4小时（工作时间）。经批准延期3个工作日。应于2026年3月13日14:30前办结。",
    ),
    "a pause that lasts": (
        {"pauses": (Pause(at("03-04 10:00")),)},
        f"办理时限5个工作日，自2026年3月2日10:00起算，{FIRST_DAY}3月7日至8日休息日，不计入。自2026年3月4日10:00起暂停计时。"
        "应于2026年3月9日18:00前办结。",
    ),
    "done late": (
        {"met_at": at("03-09 18:10")},
        f"办理时限5个工作日，自2026年3月2日10:00起算，{FIRST_DAY}3月7日至8日休息日，不计入。应于2026年3月9日18:00前办结；"
        "已于2026年3月9日18:10办结，超过时限。",
    ),
    "a holiday and its make-up workday": (
        {"started_at": at("09-29 10:00")},
        f"办理时限5个工作日，自2026年9月29日10:00起算，{FIRST_DAY}10月1日至7日国庆节放假（{NOTICE}）；10月11日休息日，不计入。"
        f"10月10日国庆节调休上班（{NOTICE}），计入。应于2026年10月12日18:00前办结。",
    ),
    "natural time": (
        {"limit": "24h"},
        "办理时限24小时（自然时间），自2026年3月2日10:00起算。应于2026年3月3日10:00前办结。",
    ),
    "a year that is not known": (
        {"started_at": at("12-28 10:00")},
        f"办理时限5个工作日，自2026年12月28日10:00起算，{FIRST_DAY}1月2日至3日休息日（放假通知未发布，暂定），不计入。"
        "应于2027年1月4日18:00前办结。期限涉及放假安排尚未公布的年份，为暂定。",
    ),
}


@pytest.mark.parametrize(("what", "zh"), CASES.values(), ids=CASES)
def test_why_it_is_due_then(what: dict[str, Any], zh: str) -> None:
    clock = state(**what)
    assert paragraph(ClockKind.HANDLE, clock, explain(clock, CALENDARS), SHANGHAI).zh == zh


def test_in_english() -> None:
    clock = after_sweep(state(), at("03-10 10:00"))
    assert paragraph(ClockKind.HANDLE, clock, explain(clock, CALENDARS), SHANGHAI).en == (
        "Time to handle it: 5 working days from 2026-03-02 10:00; the first day does not count (Civil Code, "
        "article 201). Not counted: 2026-03-07 to 2026-03-08 day off. To be completed by 2026-03-09 18:00; "
        "late, and not done yet."
    )


def test_every_clock_has_a_name() -> None:
    assert DUTIES.keys() == {*ClockKind} - {ClockKind.UNKNOWN}


def test_a_version_that_people_published_is_named() -> None:
    clock = state()
    terms = clock.terms.model_copy(update={"policy_version": 2})
    said = paragraph(
        ClockKind.HANDLE,
        clock.model_copy(update={"terms": terms}),
        explain(clock, CALENDARS),
        SHANGHAI,
    )
    assert said.zh.startswith("办理时限5个工作日（时限规则第2版），自2026年3月2日10:00起算")
    assert said.en.startswith("Time to handle it: 5 working days (policy version 2) from 2026")
