"""What is wrong with a field is said in Chinese and English, and never with what was sent."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import pytest
from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, ValidationError
from pydantic_core import core_schema

from shared.errors import MoveRefused
from shared.http.faults import EMPTY, SAID, said_of
from shared.http.fields import Body, Text
from shared.http.problems import malformed

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[a-z]{2}")
SECRET = "李秋月"


class Kind(StrEnum):
    HELP = "help"
    REPORT = "report"


class Demand(Body):
    title: str


def _never(value: str) -> str:
    raise ValueError("不得如此 must not be")


CASES: list[tuple[Any, Any, str]] = [
    (Demand, {}, "缺少必填项 required, but missing"),
    (Demand, {"title": "x", "name": SECRET}, "未知字段 unknown field"),
    (Demand, SECRET, "应为 JSON 对象 must be a JSON object"),
    (str, 5, "应为文本 must be a string"),
    (Annotated[str, Text(3)], SECRET + SECRET, "最多 3 个字 must have at most 3 characters"),
    (Annotated[str, Text(3)], "  ", EMPTY),
    (Annotated[str, Text(9, min_length=4)], SECRET, "至少 4 个字 must have at least 4 characters"),
    (Annotated[str, Field(pattern="^[A-Z]+$")], SECRET, "格式不符，应匹配 must match ^[A-Z]+$"),
    (int, SECRET, "应为整数 must be an integer"),
    (int, 1.5, "应为整数 must be an integer, without a fraction"),
    (Annotated[int, Field(ge=1)], 0, "不得小于 must be at least 1"),
    (Annotated[int, Field(le=9)], 10, "不得大于 must be at most 9"),
    (float, SECRET, "应为数字 must be a number"),
    (bool, SECRET, "应为 true 或 false must be true or false"),
    (Kind, SECRET, "只能是下列之一 must be one of 'help' or 'report'"),
    (Literal["yes", "no"], SECRET, "只能是下列之一 must be one of 'yes' or 'no'"),
    (UUID, SECRET, "应为 UUID must be a UUID"),
    (date, SECRET, "应为日期 must be a day such as 2026-03-02"),
    (datetime, SECRET, "应为时刻 must be a moment such as 2026-03-02T09:00:00+08:00"),
    (AwareDatetime, "2026-03-02T09:00", "时刻须带时区 the moment needs its offset: "),
    (list[int], SECRET, "应为列表 must be a list"),
    (Annotated[list[int], Field(max_length=1)], [1, 2], "最多 1 项 must have at most 1 items"),
    (Annotated[list[int], Field(min_length=1)], [], EMPTY),
    (Annotated[str, AfterValidator(_never)], SECRET, "不得如此 must not be"),
]


def faults_of(kind: Any, given: Any) -> list[Any]:
    """What Pydantic says against a value."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(given)
    return refused.value.errors(include_url=False)


@pytest.mark.parametrize(("kind", "given", "said"), CASES)
def test_a_fault_is_said_in_both_languages(kind: Any, given: Any, said: str) -> None:
    [fault] = faults_of(kind, given)
    assert said_of(fault).startswith(said)
    assert SECRET not in said_of(fault)


def test_what_nobody_foresaw_is_still_said() -> None:
    [fault] = faults_of(Annotated[int, Field(multiple_of=7)], 8)
    assert said_of(fault) == "内容不符合要求 Input should be a multiple of 7"


def test_the_table_knows_only_types_there_are() -> None:
    assert set(SAID) <= set(get_args(core_schema.ErrorType))


@pytest.mark.parametrize("said", [*SAID.values(), EMPTY])
def test_every_word_is_in_both_languages(said: str) -> None:
    assert CHINESE.search(said)
    assert ENGLISH.search(said)


def test_a_refused_body_names_every_field() -> None:
    problem = malformed(faults_of(Demand, {"name": SECRET}))
    assert problem.detail == "title: 缺少必填项 required, but missing; name: 未知字段 unknown field"
    assert "Value error" not in problem.detail


def test_a_refused_move_is_said_in_both_languages() -> None:
    refused = MoveRefused("complete", "closed", [])
    assert refused.detail == (
        "当前状态“已结案”不允许“办结”；可行的操作：无。"
        "complete is not allowed in status closed; allowed: none"
    )
    assert refused.extra == {"current_status": "closed", "allowed": []}
