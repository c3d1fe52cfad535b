"""What looks like a person's number goes, ordinary numbers stay, and no text makes it slow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared import clock
from shared.jurisdiction.codes import Units
from shared.security.masking import mask_patterns
from shared.security.reading import FOLD, NUMERALS
from tests.fixtures.identities import (
    CHINESE,
    GAPS,
    HARMLESS,
    IDENTITIES,
    WIDE,
    Rng,
    id_card,
    mobile,
)
from tests.fixtures.texts import TEXTS


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打13800138000找我", "请打[电话]找我"),
        ("138-0013-8000、138 0013 8000、1380-013-8000", "[电话]、[电话]、[电话]"),
        ("+86 13800138000 (+86)138-0013-8000", "[电话] [电话]"),
        ("１３８００１３８０００", "[电话]"),
        ("138\u200b0013\u200b8000", "[电话]"),
        ("1 3 8 0 0 1 3 8 0 0 0", "[电话]"),
        ("①13800138000②13900139000", "①[电话]②[电话]"),
        ("一三八零零一三八零零零", "[电话]"),
        ("幺三八，零零幺三，八零零零", "[电话]"),
        ("座机0915-4421234转801，（0915）4421234", "座机[电话]，[电话]"),
        ("+86(0915)4421234", "[电话]"),
        ("电话：4421234", "电话：[电话]"),
        ("身份证61092419900101123X", "身份证[证件]"),
        ("610924 19900101 1234", "[证件]"),
        ("610924900101123", "[证件]"),
        ("卡号6222021234567890123", "卡号[银行卡]"),
        ("6222 0212 3456 7890", "[银行卡]"),
        ("邮箱Li.Na@example.com。", "邮箱[邮箱]。"),
        ("QQ：123456789", "QQ：[账号]"),
        ("微信号wang_2026，微信 wxid_ab12", "微信号[账号]，微信 [账号]"),
        ("微信13800138000", "微信[电话]"),
        ("138 - 1234 - 5678，(138)12345678", "[电话]，[电话]"),
        ("138/1234/5678和138、1234、5678", "[电话]和[电话]"),
        ("138_1234_5678 138 12 34 56 78", "[电话] [电话]"),
        ("手机:138\n12345678", "手机:[电话]"),
        ("一 三 八 一 二 三 四 五 六 七 八", "[电话]"),
        ("为什么么三八一二三四五六七八一直打不通", "为什么[电话]一直打不通"),
        ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "[电话]️⃣"),
        ("①③⑧①②③④⑤⑥⑦⑧，1三8一2三4五6七8", "[电话]，[电话]"),
        ("013912345678，139,1234,5678", "[电话]，[电话]"),
        ("+852 9123 4567，电话85291234567", "[电话]，电话[电话]"),
        ("致电4421234、4425678", "致电[电话]、[电话]"),
        ("6109 2419 9001 0112 3X", "[证件]"),
        ("护照E12345678，G12345678", "护照[证件]，[证件]"),
        ("微信 ID ab12345，wx：zhangsan88", "微信 ID [账号]，wx：[账号]"),
        ("li.na ＠ example。com", "[邮箱]"),
        ("陕A12345、陕G·D1234、京AD12345", "[车牌]、[车牌]、[车牌]"),
    ],
)
def test_what_points_at_a_person_goes(text: str, masked: str) -> None:
    assert mask_patterns(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "工单20261123-000001，原工单20251231-138001",
        "2026-11-23 14:30:00，20261123，20261123143000，2026.11.23-2026.12.01",
        "价格12500元、1,200.50元、13.8万元，共1500平方米",
        "区划610924109，610924109000，邮编725300",
        "2026 2027 2028 2029",
        "订单20261123093000123",
        "拨打12345、110、95588、400-123-4567",
        "3号楼2单元1501室，G65公里1380处，第13次",
        "微信支付100000元，QQ音乐会员15元",
        "电话20261123-000001查询",
        "统一社会信用代码91310000552936878J，运单号SF1234567890123",
        "订单号202611230930001234，工资15000-200000元",
        "规划编号139-2017-0012，合同编号2023-1381-234-5678",
        "案件号610924202311230001，信访件编号610924201801010001",
        "1、3、5、7、9、11、13路，13、15、17、19、21、23号楼",
        "二〇二六年一一二三，第一、二、三、四、五、六、七、八",
        "192.168.10.123，2019-2020-2021年，8:30-12:00、14:00-18:00",
        "95598、12315、8008101234、962333",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask_patterns(text) == text


@st.composite
def rngs(draw: st.DrawFn) -> Rng:
    return Rng(draw(st.integers(0, 2**32)))


def in_any_form(rng: Rng, number: str) -> str:
    """Any gaps between any digits, in any script."""
    gaps = [rng.choice(["", "", *GAPS]) for _ in number]
    script = rng.choice([{}, WIDE, CHINESE])
    written = "".join(
        digit.translate(script) + gap for digit, gap in zip(number, gaps, strict=True)
    )
    return written.rstrip("".join(GAPS))


def digits_left(masked: str) -> str:
    return "".join(char for char in masked.translate(FOLD).translate(NUMERALS) if char.isdecimal())


@pytest.mark.parametrize("kind", IDENTITIES)
@settings(deadline=None)
@given(rngs())
def test_no_way_people_write_it_leaves(kind: str, rng: Rng) -> None:
    """R-36: whatever the separators and the script, no four digits of it are left."""
    masked = mask_patterns(f"多次反映，{IDENTITIES[kind](rng)}，请核实")
    assert len(digits_left(masked)) < 4
    assert "[" in masked


@settings(deadline=None)
@given(rngs())
def test_no_gaps_between_the_digits_of_a_mobile_help_it(rng: Rng) -> None:
    masked = mask_patterns(f"多次反映：{in_any_form(rng, mobile(rng))}；请核实")
    assert len(digits_left(masked)) < 4


@settings(deadline=None)
@given(rngs())
def test_no_gaps_between_the_digits_of_an_id_help_it(rng: Rng) -> None:
    masked = mask_patterns(f"多次反映：{in_any_form(rng, id_card(rng)).upper()}；请核实")
    assert len(digits_left(masked)) < 4


@pytest.mark.parametrize("kind", HARMLESS)
@settings(deadline=None)
@given(rngs())
def test_numbers_of_things_stay(kind: str, rng: Rng) -> None:
    text = f"多次反映，{HARMLESS[kind](rng)}，请核实"
    assert mask_patterns(text) == text


def test_the_offices_own_telephones_stay() -> None:
    own = {"09154421234", "4421234", "13900001111"}
    text = "请拨打0915-4421234、电话4421234或13900001111，(0915)4421234、+86 139 0000 1111"
    assert mask_patterns(text, own) == text
    assert mask_patterns("电话4421235", own) == "电话[电话]"


@settings(deadline=None)
@given(TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    masked = mask_patterns(text)
    assert mask_patterns(masked) == masked


PIECES = [
    *("1", "a", "a@", "a.", "138 ", "+86", "(", "一三", "qq号", "8-", "1 ", "1、", "陕a", "护照"),
    *("12:30 ", "什么1", "1,381,", "2026-1-1 "),
]


@pytest.mark.parametrize("piece", PIECES)
def test_no_text_makes_masking_slow(piece: str) -> None:
    """The longest content there is takes milliseconds; backtracking would take minutes."""
    text = piece * (5_000 // len(piece))
    began = clock.real()
    mask_patterns(text)
    assert clock.real() - began < timedelta(seconds=60)


def test_telephones_of_units_are_known_with_and_without_the_area_code() -> None:
    unit = {
        "code": "GSGS",
        "name": "供水公司",
        "kind": "utility",
        "delivery": "feed",
        "liaison": "值班长",
    }
    numbers = ["0915-4421234", "400-123-4567", "13900001111"]
    units = Units.model_validate({"units": [unit | {"telephones": numbers}]})
    assert units.telephones == {"09154421234", "4421234", "4001234567", "13900001111"}
    with pytest.raises(ValidationError):
        Units.model_validate({"units": [unit | {"telephones": ["4421234"]}]})
