"""Seals open for whom they should, digests are keyed, and no written form of a phone survives."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import clock
from shared.errors import ConfigError
from shared.security.masking import (
    CODE_LETTERS,
    Digester,
    KeyMissing,
    SealBroken,
    Sealer,
    mask_exact,
    mask_patterns,
    normal_phone,
)

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLAIN = "王小明 13800138000".encode()
NUMBER = "20261123-000001"

# --- seals -------------------------------------------------------------------------------------


@pytest.fixture(params=["aes-256-gcm", "sm4-gcm"])
def sealer(request: pytest.FixtureRequest) -> Sealer:
    return Sealer({"old": OLD, "new": NEW}, "new", request.param)


def test_a_seal_opens_and_shows_nothing(sealer: Sealer) -> None:
    sealed = sealer.seal(PLAIN, NUMBER)
    assert PLAIN not in sealed
    assert sealer.unseal(sealed, NUMBER) == PLAIN


def test_the_same_words_are_never_sealed_alike(sealer: Sealer) -> None:
    assert sealer.seal(PLAIN, NUMBER) != sealer.seal(PLAIN, NUMBER)


def test_a_seal_belongs_to_its_ticket(sealer: Sealer) -> None:
    with pytest.raises(SealBroken):
        sealer.unseal(sealer.seal(PLAIN, NUMBER), "20261123-000002")


def test_every_byte_of_a_seal_counts(sealer: Sealer) -> None:
    sealed = sealer.seal(PLAIN, NUMBER)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            sealer.unseal(bytes(changed), NUMBER)


def test_every_cut_of_a_seal_is_noticed(sealer: Sealer) -> None:
    sealed = sealer.seal(PLAIN, NUMBER)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sealer.unseal(sealed[:length], NUMBER)


def test_rotation_keeps_old_seals_readable_until_their_key_goes() -> None:
    sealed = Sealer({"old": OLD}, "old").seal(PLAIN, NUMBER)
    assert Sealer({"old": OLD, "new": NEW}, "new").unseal(sealed, NUMBER) == PLAIN
    with pytest.raises(KeyMissing):
        Sealer({"new": NEW}, "new").unseal(sealed, NUMBER)


def test_new_seals_are_under_the_current_key() -> None:
    sealed = Sealer({"old": OLD, "new": NEW}, "new").seal(PLAIN, NUMBER)
    with pytest.raises(KeyMissing):
        Sealer({"old": OLD}, "old").unseal(sealed, NUMBER)


def test_another_secret_under_the_same_name_does_not_open() -> None:
    sealed = Sealer({"k": OLD}, "k").seal(PLAIN, NUMBER)
    with pytest.raises(SealBroken) as refused:
        Sealer({"k": NEW}, "k").unseal(sealed, NUMBER)
    assert not isinstance(refused.value, KeyMissing)


def test_the_suite_can_change_and_old_seals_still_open() -> None:
    sealed = Sealer({"k": OLD}, "k", "aes-256-gcm").seal(PLAIN, NUMBER)
    assert Sealer({"k": OLD}, "k", "sm4-gcm").unseal(sealed, NUMBER) == PLAIN


def test_a_broken_seal_tells_nothing() -> None:
    sealed = bytearray(Sealer({"k": OLD}, "k").seal(PLAIN, NUMBER))
    sealed[-1] ^= 1
    with pytest.raises(SealBroken) as refused:
        Sealer({"k": OLD}, "k").unseal(bytes(sealed), NUMBER)
    assert refused.value.__cause__ is None
    assert "13800138000" not in repr(refused.value) + refused.value.detail


@pytest.mark.parametrize(
    ("ring", "current", "suite"),
    [
        ({"k": OLD}, "k", "rot13"),
        ({"k": OLD}, "other", "aes-256-gcm"),
        ({}, "", "aes-256-gcm"),
        ({"": OLD}, "", "aes-256-gcm"),
        ({"k" * 256: OLD}, "k" * 256, "aes-256-gcm"),
        ({"k": b"short"}, "k", "aes-256-gcm"),
    ],
)
def test_a_bad_ring_stops_the_start(ring: dict[str, bytes], current: str, suite: str) -> None:
    with pytest.raises(ConfigError):
        Sealer(ring, current, suite)


# --- digests -----------------------------------------------------------------------------------


def test_a_blind_index_depends_on_value_purpose_and_secret() -> None:
    index = Digester(OLD).blind_index("13800138000", "phone")
    assert index == Digester(OLD).blind_index("13800138000", "phone")
    others = {
        Digester(OLD).blind_index("13800138001", "phone"),
        Digester(OLD).blind_index("13800138000", "name"),
        Digester(OLD).fingerprint(b"13800138000"),
        Digester(NEW).blind_index("13800138000", "phone"),
    }
    assert len(others) == 4
    assert index not in others


def test_a_fingerprint_tells_requests_apart() -> None:
    digester = Digester(OLD)
    assert digester.fingerprint(b"{}") == digester.fingerprint(b"{}")
    assert digester.fingerprint(b"{}") != digester.fingerprint(b"{ }")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError):
        Digester(b"short")


def test_a_code_is_eight_clear_letters_and_its_numbers_own() -> None:
    codes = [Digester(OLD).ticket_code(f"20261123-{n:06d}") for n in range(500)]
    assert len(set(codes)) == 500
    assert all(re.fullmatch(f"[{CODE_LETTERS}]{{8}}", code) for code in codes)
    assert Digester(NEW).ticket_code("20261123-000000") != codes[0]
    assert not set("01ILOU") & set(CODE_LETTERS)


def test_codes_are_stable_for_ever() -> None:
    assert Digester(OLD).ticket_code(NUMBER) == "CMJM67QW"


def test_a_code_is_checked_as_people_type_it() -> None:
    digester = Digester(OLD)
    code = digester.ticket_code(NUMBER)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    for typed in (code, code.lower(), f" {code[:4]}-{code[4:]} ", wide):
        assert digester.check_code(NUMBER, typed)
    for wrong in ("", code[:7], code + "2", "码" * 8, digester.ticket_code("20261123-000002")):
        assert not digester.check_code(NUMBER, wrong)


# --- telephone numbers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13800138000", "13800138000"),
        (" 138 0013 8000 ", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086-13800138000", "13800138000"),
        ("(+86)13800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("0915-4421234", "09154421234"),
        ("（0915）4421234", "09154421234"),
        ("+86 915 4421234", "09154421234"),
        ("010 8888 1234", "01088881234"),
        ("0915-4421234-801", "09154421234-801"),
        ("0915-4421234转801", "09154421234-801"),
        ("400-123-4567", "4001234567"),
        ("95588", "95588"),
        ("+1 415 555 2671", "+14155552671"),
    ],
)
def test_a_number_has_one_spelling(written: str, number: str) -> None:
    assert normal_phone(written) == number
    assert normal_phone(number) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "电话",
        "none",
        "12345678901",
        "1380013800",
        "138001380001",
        "4421234",
        "0000-4421234",
        "+86 12345",
        "13800138000x",
        "13800138000转801",
        "1" * 5_000,
    ],
)
def test_what_is_no_number_is_none(written: str) -> None:
    assert normal_phone(written) is None


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_asked_and_a_normal_form_stays(written: str) -> None:
    number = normal_phone(written)
    assert number is None or normal_phone(number) == number


# --- masking by pattern ------------------------------------------------------------------------


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
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask_patterns(text) == text


PIECES = st.one_of(
    st.text(max_size=5),
    st.text("0123456789 -+()x.", max_size=25),
    st.text("一三八零幺，[]", max_size=12),
    st.sampled_from(
        [
            "13800138000",
            "0915-4421234",
            "电话",
            "QQ号",
            "微信",
            "a.b@c.cn",
            "61092419900101123X",
            "[电话]",
            "20261123-000001",
            "王小明",
            "6222021234567890123",
            "86",
            "转8",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    masked = mask_patterns(text)
    assert mask_patterns(masked) == masked


@pytest.mark.parametrize("piece", ["1", "a", "a@", "a.", "138 ", "+86", "(", "一三", "qq号", "8-"])
def test_no_text_makes_masking_slow(piece: str) -> None:
    """The longest content there is takes milliseconds; backtracking would take minutes."""
    text = piece * (5_000 // len(piece))
    began = clock.real()
    mask_exact(mask_patterns(text), names=[piece * 3], phones=["13800138000"])
    assert clock.real() - began < timedelta(seconds=60)


# --- masking what is known ---------------------------------------------------------------------


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


def test_a_district_is_nobodys_home() -> None:
    assert mask_exact("城关镇停水", addresses=["城关镇", "紫阳县城关镇"]) == "城关镇停水"


def test_a_bare_house_number_is_nobodys_home() -> None:
    assert mask_exact("3栋停水", addresses=["紫阳县城关镇3栋"]) == "3栋停水"


def test_an_id_number_goes_however_it_is_grouped() -> None:
    text = "证件610924-19900101-123x"
    assert mask_exact(text, id_numbers=["61092419900101123X"]) == "证件[证件]"


def test_longer_knowledge_wins_where_two_overlap() -> None:
    text = "王小明村5号楼"
    assert mask_exact(text, names=["王小明"], addresses=["小明村5号楼"]) == "[住址]"


def test_what_the_first_mask_bares_is_masked_too() -> None:
    assert mask_exact("138001380004421234", phones=["13800138000", "09154421234"]) == "[电话][电话]"
