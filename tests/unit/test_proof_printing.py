"""A proof pack on paper: every word has its Chinese, and what a text holds is text and no markup."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

import pytest
import typst
from pydantic import BaseModel

from operations.proof import pack, printing, words
from operations.proof.clearing import Clearing
from operations.proof.pack import Entry, Kind, Said
from operations.proof.wording import Wording
from services.intake.readlog import Deed
from services.intake.rules.identity import NOTHING_PUBLIC, WITHHELD, Person
from services.intake.rules.machine import TicketStatus
from services.tracker.rules.machine import ClockStatus
from shared.errors import ConfigError
from shared.events import FACTS, ClockKind

MARCH = datetime(2026, 3, 2, 1, tzinfo=UTC)
WORDING = Wording(ZoneInfo("Asia/Shanghai"), {"ZJJ": "住建局"})
# The machine's own letters only, for no machine need have Chinese ones to run the tests.
PLAIN = printing.Font(typst.Fonts(include_system_fonts=False), "Libertinus Serif")


def spoken(kind: Any, fields: set[str], values: set[str]) -> None:
    """Every field and word that facts have, however deep."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            fields.add(name)
            spoken(field.annotation, fields, values)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        values.update(str(word.value) for word in kind if word.name != "UNKNOWN")
    elif get_origin(kind) is Literal:
        values.update(map(str, get_args(kind)))
    else:
        for each in get_args(kind):
            spoken(each, fields, values)


def test_every_word_of_a_fact_has_its_chinese() -> None:
    fields, values = set[str](), set[str]()
    for kind in FACTS.values():
        spoken(kind, fields, values)
    assert {kind.name for kind in FACTS.values()} - words.FACTS.keys() == set()
    assert fields - words.FIELDS.keys() == set()
    assert values - words.VALUES.keys() == set()


def test_so_have_clocks_readings_and_statuses() -> None:
    assert {kind.value for kind in ClockKind} - words.CLOCKS.keys() == set()
    assert {deed.value for deed in Deed} - words.OTHERS.keys() == set()
    statuses = {each.value for each in (*ClockStatus, *TicketStatus) if each.name != "UNKNOWN"}
    assert statuses - words.VALUES.keys() == set()


def entries(content: str) -> list[Entry]:
    matter = {"title": content[:20], "content": content, "status": "closed", "type": "help"}
    head = {
        "ticket": "20260302-000001",
        "reason": "法院调取",
        "place": "紫阳县",
        "timezone": "Asia/Shanghai",
        "matter": matter,
        "names": {},
        "logs": {"intake": {"facts": 1, "missing": [2]}},
        "withheld": True,
    }
    common = {"service": "intake", "at": MARCH, "recorded": MARCH}
    said = [
        Said(kind=Kind.HEAD, name="proof", data=head, **common),
        Said(kind=Kind.ACT, name="ticket.registered", data={"content": content}, **common),
    ]
    return pack.chained(said)


@pytest.mark.parametrize("content", ["#panic()[*x*] $y$ `z` \\ // @a <b>", "长" * 16_000, ""])
def test_any_text_is_printed_and_the_same_bytes_again(content: str) -> None:
    [one] = printing.printed(entries(content), "0" * 64, "k", PLAIN)
    [two] = printing.printed(entries(content), "0" * 64, "k", PLAIN)
    assert one.startswith(b"%PDF-1.7")
    assert one == two
    pages = printing.printed(entries(content), "0" * 64, "k", PLAIN, "png")
    assert (len(pages) > 2) == (len(content) > 10_000)


def test_without_a_chinese_font_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fonts-noto-cjk") as refused:
        printing.font_in(tmp_path)
    assert str(refused.value).count("\n") == 0


def test_missing_facts_and_texts_left_out_stand_on_the_first_page() -> None:
    notes = printing.laid_out(entries("x"))["notes"]
    assert [zh for zh, _ in notes] == [
        "受理服务的事实日志缺少第 2 条。",
        "保密工单，且无法核对诉求人身份：承办单位和工作人员所写的文字从略。",
    ]


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("2026-03-02T01:00:00Z", "2026年3月2日09:00:00", ""),
        ("2026-04-10", "2026年4月10日", ""),
        ("4wh", "4小时（工作时间）", "4wh"),
        ("41220min", "28天15小时", "41220min"),
        ("1wd_before_due", "到期前1个工作日", "1wd before due"),
        ("50%_elapsed", "用时达时限的50%", "50% elapsed"),
        ("逾期未办结（overdue_1wd）", "逾期未办结（逾期1个工作日）", ""),
        ("逾期未办结（red_card）", "逾期未办结（逾期）", ""),
        ("说（phone）", "说（phone）", ""),
        ("ZJJ", "住建局（ZJJ）", ""),
        ("partly_solved", "部分解决", "partly solved"),
        ("supervisor:li", "督办员 li", ""),
        ("service:tracker", "系统（督办）", ""),
        ("unit:ZJJ:li", "住建局（ZJJ） li", ""),
        ("nobody:li", "nobody:li", ""),
        (False, "否", "no"),
        (0, "0", ""),
        (["ZJJ", "x"], "住建局（ZJJ）、x", ""),
        (["phone", "x"], "电话、x", "phone, x"),
        ([{"clock": "sign", "note": ""}], "\n· 时限类型：签收", "\n· clock sign"),
    ],
)
def test_a_value_is_what_people_read(value: Any, zh: str, en: str) -> None:
    assert WORDING.value(value) == (zh, en)


def test_a_word_or_field_may_mean_something_else_where_it_stands() -> None:
    data = {"outcome": "answered", "person": "镇长", "en": "Told", "zh": "告知"}
    lines = list(WORDING.lines(data, 1, "staff.told"))
    assert [(line.zh, line.said.zh) for line in lines] == [
        ("结果", "已接听"),
        ("姓名或职务", "镇长"),
        ("中文", "告知"),
        ("英文", "Told"),
    ]
    assert words.label("person") == "代何人"
    assert WORDING.value("answered").zh == "已答复"


def test_a_long_text_is_printed_once_and_what_was_added_to_it() -> None:
    wording, long = Wording(ZoneInfo("Asia/Shanghai"), {}), "长" * 61
    [first] = wording.lines({"content": long}, 3)
    [again] = wording.lines({"content": long}, 7)
    [more] = wording.lines({"content": f"{long}又来了"}, 8)
    assert (first.said.zh, again.said) == (long, ("与第 3 条所载相同", "as in entry 3"))
    assert more.said == ("与第 3 条所载相同，另有：又来了", "as in entry 3, and more")


# --- whom it names -----------------------------------------------------------------------------

WANG = Person("王小明", ("13909150001",), "河堤路8号3单元201")
DATA = {
    "note": "王小明说他电话13909150001",
    "units": ["ZJJ"],
    "due": "2026-03-02T01:00:00.123456+00:00",
    "clock": "sign",
    "limits": {"sign": "4wh"},
    "id": "0195b1a0-1390-7915-8000-139091500013",
    "number": "20260302-000001",
    "count": 13909150001,
}


def cleared(person: Person | None, *, confidential: bool) -> tuple[dict[str, Any], list[str]]:
    return Clearing(person, NOTHING_PUBLIC, frozenset({"ZJJ"}), confidential).data(DATA)


def test_what_units_wrote_is_cleared_of_who_called_and_ids_stay() -> None:
    data, masked = cleared(WANG, confidential=True)
    assert data["note"] == "[姓名]说他电话[电话]"
    assert masked == ["note"]
    assert {name for name in DATA if DATA[name] != data[name]} == {"note"}


def test_of_a_confidential_matter_of_nobody_known_no_text_is_told() -> None:
    data, _ = cleared(None, confidential=True)
    assert {name: value for name, value in data.items() if value != DATA[name]} == {
        "note": WITHHELD
    }
    assert cleared(None, confidential=False)[0]["note"] == "王小明说他电话[电话]"
