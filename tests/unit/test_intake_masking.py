"""No written form of the caller's name, phone or home survives."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.rules.masking import mask_exact
from shared import clock
from shared.security.masking import mask_patterns
from tests.fixtures.texts import TEXTS


def wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


SPOKEN = str.maketrans("0123456789", "零一二三四五六七八九")


@st.composite
def written_phones(draw: st.DrawFn) -> tuple[str, str]:
    """A mobile number as it is kept, and as somebody may write it."""
    number = "1" + draw(st.from_regex(r"\A[3-9][0-9]{9}\Z"))
    gaps = draw(
        st.lists(
            st.sampled_from(["", "", "-", " ", "—", "  ", ".", "\u3000", "\u200b", "·"]),
            min_size=11,
            max_size=11,
        )
    )
    form = "".join(digit + gap for digit, gap in zip(number, gaps, strict=True))
    prefix = draw(st.sampled_from(["", "+86", "+86 ", "86-", "0086", "(+86)", "（＋86）"]))
    script = draw(st.sampled_from(["plain", "wide", "spoken"]))
    written = prefix + form
    return number, {"plain": written, "wide": wide(written), "spoken": written.translate(SPOKEN)}[
        script
    ]


def digits_left(text: str) -> str:
    """All digits of a text in their order, as a searcher with a sharp eye would read them."""
    plain = unicodedata.normalize("NFKC", text)
    plain = plain.translate(str.maketrans("零〇一幺二三四五六七八九", "001123456789"))
    return "".join(char if char.isdecimal() or char in "[]" else "" for char in plain)


@settings(deadline=None)
@given(written_phones(), TEXTS, TEXTS)
def test_no_written_form_of_the_callers_phone_survives(
    phone: tuple[str, str], before: str, after: str
) -> None:
    number, written = phone
    masked = mask_exact(f"{before}。{written}。{after}", phones=[number])
    assert written not in masked
    assert number not in digits_left(masked)


@settings(deadline=None)
@given(
    TEXTS, st.text("王小明李娜LiNa ", max_size=6), st.sampled_from(["13800138000", "09154421234"])
)
def test_masking_what_is_known_twice_is_masking_it_once(text: str, name: str, phone: str) -> None:
    known = {"names": [name], "phones": [phone], "addresses": ["紫阳县红椿镇尚坝村3组12号"]}
    masked = mask_exact(text, **known)
    assert mask_exact(masked, **known) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我是王小明", "我是[姓名]"),
        ("王 小 明和王·小明", "[姓名]和[姓名]"),
        ("老王，小明也去", "老王，小明也去"),
        ("王先生、王女士、老王", "王先生、王女士、老王"),
        ("小明", "小明"),
    ],
)
def test_the_callers_name(text: str, masked: str) -> None:
    assert mask_exact(text, names=["王小明", "王", ""]) == masked


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("王小明先生", "王小明反映", "[姓名]反映"),
        ("王小明（户主）", "王小明反映", "[姓名]反映"),
        ("张三", "张三一家", "[姓名]一家"),
        ("Li Na", "Li Na, LINA, Salina", "[姓名], [姓名], Salina"),
        ("买买提·艾力", "买买提艾力和买买提•艾力", "[姓名]和[姓名]"),
        ("匿名", "要求匿名", "要求匿名"),
        ("王先生", "王先生", "王先生"),
        ("电话", "电话[电话]", "[姓名][电话]"),
    ],
)
def test_names_as_seats_type_them(name: str, text: str, masked: str) -> None:
    assert mask_exact(text, names=[name]) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("家里4421234", "家里[电话]"),
        ("(0915)442-1234", "[电话]"),
        ("+86-915-4421234", "[电话]"),
        ("０９１５４４２１２３４", "[电话]"),
        ("共14421234元", "共14421234元"),
    ],
)
def test_the_callers_landline(text: str, masked: str) -> None:
    assert mask_exact(text, phones=["0915-4421234"]) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("住陕西省紫阳县红椿镇尚坝村3组12号。", "住[住址]。"),
        ("住紫阳县，红椿镇，尚坝村三组12号。", "住[住址]。"),
        ("住尚坝村３组１２号院", "住[住址]院"),
        ("尚坝村3组120号", "尚坝村3组120号"),
        ("红椿镇政府", "红椿镇政府"),
    ],
)
def test_the_callers_home(text: str, masked: str) -> None:
    assert mask_exact(text, addresses=["陕西省紫阳县红椿镇尚坝村3组12号"]) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("住环城路8号2单元", "住[住址]"),
        ("环城路8-2-301漏水", "[住址]漏水"),
        ("我家2单元301，八号二单元三零一", "我家[住址]，[住址]"),
        ("环城路8号楼下路灯不亮", "环城路8号楼下路灯不亮"),
        ("环城路18号2单元301", "环城路18号[住址]"),
    ],
)
def test_parts_of_the_callers_home_that_lead_to_the_door(text: str, masked: str) -> None:
    assert mask_exact(text, addresses=["陕西省紫阳县城关镇环城路8号2单元301"]) == masked


PLACES = {"向阳镇", "红椿镇", "安康市生态环境局紫阳分局"}


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("向阳", "向阳镇、向阳村和向阳路，我叫向阳", "向阳镇、向阳村和向阳路，我叫[姓名]"),
        ("高峰", "早高峰、晚高峰和高峰期堵车", "早高峰、晚高峰和高峰期堵车"),
        ("高峰", "高峰反映：早高峰堵车。我是高峰。", "[姓名]反映：早高峰堵车。我是[姓名]。"),
        ("安康", "安康市生态环境局紫阳分局，安康反映", "安康市生态环境局紫阳分局，[姓名]反映"),
        ("张三", "张三一家和张三村长", "[姓名]一家和[姓名]村长"),
        ("王小明", "王小明村", "[姓名]村"),
    ],
)
def test_a_name_is_masked_as_a_name(name: str, text: str, masked: str) -> None:
    """R-36, and no place or word is blanked that a caller is called like."""
    assert mask_exact(text, names=[name], public=PLACES) == masked


def test_a_district_is_nobodys_home() -> None:
    assert mask_exact("城关镇停水", addresses=["城关镇", "紫阳县城关镇"]) == "城关镇停水"


def test_a_bare_house_number_is_nobodys_home() -> None:
    assert mask_exact("3栋停水", addresses=["紫阳县城关镇3栋"]) == "3栋停水"


def test_longer_knowledge_wins_where_two_overlap() -> None:
    text = "王小明村5号楼"
    assert mask_exact(text, names=["王小明"], addresses=["小明村5号楼"]) == "[住址]"


def test_what_the_first_mask_bares_is_masked_too() -> None:
    assert mask_exact("138001380004421234", phones=["13800138000", "09154421234"]) == "[电话][电话]"


@pytest.mark.parametrize("piece", ["1", "a", "a@", "a.", "138 ", "+86", "(", "一三", "qq号", "8-"])
def test_no_text_makes_masking_a_person_slow(piece: str) -> None:
    """The longest content there is takes milliseconds; backtracking would take minutes."""
    text = piece * (5_000 // len(piece))
    began = clock.real()
    mask_exact(mask_patterns(text), names=[piece * 3], phones=["13800138000"])
    assert clock.real() - began < timedelta(seconds=60)
