"""答非所问: whether an answer speaks of what was demanded."""

from __future__ import annotations

import pytest

from services.dispatcher.rules.answers import is_about, unanswered


@pytest.mark.parametrize(
    ("demand", "answer"),
    [
        ("停水三天", "已恢复供水"),
        ("3号楼没水", "管道抢修完毕，现已通水"),
        ("全村停电", "线路已抢修，恢复供电"),
        ("小区断气两天", "已恢复供气"),
        ("路灯不亮", "路灯已修复"),
    ],
)
def test_an_answer_in_few_words_that_says_what_is_back_is_about_it(
    demand: str, answer: str
) -> None:
    assert is_about(demand, "", answer)
    assert is_about("", demand, answer)


@pytest.mark.parametrize(
    ("demand", "answer"),
    [
        ("停水三天", "已恢复供电"),
        ("停水三天", "社保缴费请到服务大厅"),
        ("路灯不亮", "已恢复供水"),
        ("路面坏了", "已处理完毕"),
    ],
)
def test_an_answer_to_something_else_or_to_nothing_is_not(demand: str, answer: str) -> None:
    assert not is_about(demand, "", answer)


def test_a_supply_that_is_back_answers_its_own_point_alone() -> None:
    demand = "1、停水三天，何时恢复？2、路灯不亮，请修复。"
    assert unanswered(demand, "已恢复供水") == ["路灯不亮，请修复。"]
