"""The citizen's code and the index of phones: keyed, stable, and typed as people type."""

from __future__ import annotations

import re
from uuid import UUID

from services.intake.digests import CODE_LETTERS, CitizenDigester

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
NUMBER = "20261123-000001"


def test_a_blind_index_depends_on_value_purpose_and_secret() -> None:
    index = CitizenDigester(OLD).blind_index("13800138000", "phone")
    assert index == CitizenDigester(OLD).blind_index("13800138000", "phone")
    others = {
        CitizenDigester(OLD).blind_index("13800138001", "phone"),
        CitizenDigester(OLD).blind_index("13800138000", "name"),
        CitizenDigester(OLD).fingerprint(b"13800138000"),
        CitizenDigester(NEW).blind_index("13800138000", "phone"),
    }
    assert len(others) == 4
    assert index not in others


def test_a_code_is_eight_clear_letters_and_its_numbers_own() -> None:
    codes = [CitizenDigester(OLD).ticket_code(f"20261123-{n:06d}", None) for n in range(500)]
    assert len(set(codes)) == 500
    assert all(re.fullmatch(f"[{CODE_LETTERS}]{{8}}", code) for code in codes)
    assert CitizenDigester(NEW).ticket_code("20261123-000000", None) != codes[0]
    assert not set("01ILOU") & set(CODE_LETTERS)


def test_codes_are_stable_for_ever() -> None:
    assert CitizenDigester(OLD).ticket_code(NUMBER, None) == "CMJM67QW"


def test_a_code_is_checked_as_people_type_it() -> None:
    digester = CitizenDigester(OLD)
    code = digester.ticket_code(NUMBER, None)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    for typed in (code, code.lower(), f" {code[:4]}-{code[4:]} ", wide):
        assert digester.check_code(NUMBER, None, typed)
    for wrong in (
        "",
        code[:7],
        code + "2",
        "码" * 8,
        digester.ticket_code("20261123-000002", None),
    ):
        assert not digester.check_code(NUMBER, None, wrong)


def test_the_same_number_given_again_has_another_code() -> None:
    digester, before, after = CitizenDigester(OLD), UUID(int=1), UUID(int=2)
    codes = {digester.ticket_code(NUMBER, nonce) for nonce in (None, before, after)}
    assert len(codes) == 3
    assert digester.check_code(NUMBER, after, digester.ticket_code(NUMBER, after))
    for older in (None, before):
        assert not digester.check_code(NUMBER, after, digester.ticket_code(NUMBER, older))
