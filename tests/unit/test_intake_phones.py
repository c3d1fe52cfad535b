"""A telephone number has one spelling, and what is no number has none."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.intake.rules.phones import known_digits, normal_phone, read_phone

HERE = "0915"


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


# --- what a caller's phone field holds ----------------------------------------------------------

MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ("013912345678", ["13912345678"]),
        ("4421234", ["09154421234"]),
        ("442-1234", ["09154421234"]),
        ("4421234转801", ["09154421234-801"]),
        ("9154421234", ["09154421234"]),
        ("0915/4421234", ["09154421234"]),
        ("0915-4421234转分机801", ["09154421234-801"]),
        ("0915-4421234 ext. 801", ["09154421234-801"]),
        ("13912345678;13812345678", ["13912345678", "13812345678"]),
        ("13912345678/13812345678", ["13912345678", "13812345678"]),
        ("139 1234 5678 138 1234 5678", ["13912345678", "13812345678"]),
        ("13912345678，13912345678", ["13912345678"]),
        ("家里4421234，手机138 1234 5678", ["09154421234", "13812345678"]),
        ("李女士13912345678", ["13912345678"]),
        ("李三13912345678（女儿）", ["13912345678"]),
        ("tel:+8613912345678", ["13912345678"]),
        ("李女士@13912345678", ["13912345678"]),
        ("sip:13912345678@10.0.0.1:5060;user=phone", ["13912345678"]),
        ('"anonymous" <sip:13912345678@10.0.0.1>', ["13912345678"]),
        ("85291234567", ["+85291234567"]),
        ("+852 9123 4567", ["+85291234567"]),
        ("00852-91234567", ["+85291234567"]),
        ("１３９－１２３４－５６７８", ["13912345678"]),
        ("①③⑨①②③④⑤⑥⑦⑧", ["13912345678"]),
        ("幺三九一二三四五六七八", ["13912345678"]),
        ("13800138000转801", ["13800138000"]),
    ],
)
def test_odd_phones_are_read(given: str, numbers: list[str]) -> None:
    phone = read_phone(given, HERE)
    assert list(phone.numbers) == numbers
    assert phone.contact == numbers[0]
    assert phone.given == given
    assert not phone.unreadable


@pytest.mark.parametrize(
    "given",
    [
        *("anonymous", "Unknown", " WITHHELD ", "匿名", "未知", "号码未显示", "无", "n/a", "-"),
        *("", "   ", None, '"Anonymous" <sip:anonymous@anonymous.invalid>', "<unknown>"),
    ],
)
def test_a_withheld_phone_is_no_contact_and_no_fault(given: str | None) -> None:
    phone = read_phone(given, HERE)
    assert phone.contact is None
    assert not phone.unreadable


@pytest.mark.parametrize(
    "given",
    [
        *("12345", "not a number", "?", "李女士", "00000000000", "2026-03-02", "+86 12345"),
        # one digit too few, too many, or wrong: no country is guessed for them
        *("1391234567", "139123456789", "73912345678", "44212345", "1" * 5_000),
    ],
)
def test_what_cannot_be_read_is_kept(given: str) -> None:
    phone = read_phone(given, HERE)
    assert phone.numbers == ()
    assert phone.unreadable
    assert phone.given == given


def test_a_local_number_needs_the_places_area_code() -> None:
    assert read_phone("4421234", "029").contact is None  # numbers have eight digits there
    assert read_phone("88421234", "029").contact == "02988421234"
    assert read_phone("4421234", None).contact is None


@given(
    MOBILES,
    st.sampled_from(
        ["{}", "0{}", "+86{}", "+860{}", "86 0{}", "李女士{}", "tel:{}", "{};无", "电话：{}（家）"]
    ),
)
@example("14000000000", "0{}")  # a prefix that the library does not know
def test_a_mobile_is_one_number_however_it_is_dressed(number: str, dress: str) -> None:
    parts = (number, f"{number[:3]} {number[3:7]} {number[7:]}", "-".join(number), " ".join(number))
    for spelled in parts:
        assert read_phone(dress.format(spelled), HERE).numbers == (number,)


@settings(deadline=None)
@given(st.text() | st.text("0123456789 +-;转()一三a"))
@example("2000000转0")  # an extension of one digit is none of the number's
def test_any_phone_can_be_given(given: str) -> None:
    phone = read_phone(given, HERE)
    assert all(normal_phone(number) == number for number in phone.numbers)
    if number := normal_phone(given):
        assert phone.numbers == (number,)  # as every release before spelled it
    assert set(phone.numbers) <= set(known_digits(phone.numbers, given))


def test_texts_are_searched_for_long_rows_only() -> None:
    assert known_digits((), "紫阳县12345热线") == ()
    assert known_digits((), "139 1234 567") == ("1391234567",)
    assert known_digits(("13912345678",), "李女士13912345678") == ("13912345678",)
