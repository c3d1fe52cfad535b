"""A telephone number has one spelling, and what is no number has none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.rules.phones import normal_phone


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
