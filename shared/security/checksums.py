"""Check digits: what tells a card, an ID or a credit code from a row of digits that is none."""

from __future__ import annotations

import re

_WEIGHTS = [pow(2, 17 - at, 11) for at in range(18)]
_REGION = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])\d{4}"
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ID = re.compile(rf"{_REGION}(?:18|19|20)\d\d{_DAY}\d{{3}}[\dx]")
_OLD_ID = re.compile(rf"{_REGION}\d\d{_DAY}\d{{3}}")
_CREDIT_ALPHABET = "0123456789abcdefghjklmnpqrtuwxy"


def looks_like_id(text: str) -> bool:
    """Whether a lower-case text has the parts of an ID card's number: region, birthday, order."""
    return bool(_ID.fullmatch(text) or _OLD_ID.fullmatch(text))


def is_id(text: str) -> bool:
    """Whether it is one of 18 characters with its check digit (GB 11643)."""
    if not _ID.fullmatch(text):
        return False
    total = sum(
        (10 if char == "x" else int(char)) * weight
        for char, weight in zip(text, _WEIGHTS, strict=True)
    )
    return total % 11 == 1


def is_luhn(digits: str) -> bool:
    """Whether the last digit of a card's number fits the others (ISO/IEC 7812)."""
    total = 0
    for at, char in enumerate(reversed(digits)):
        digit = int(char) * (1 + at % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def is_credit_code(text: str) -> bool:
    """Whether a lower-case text is a 统一社会信用代码 with its check character (GB 32100)."""
    if len(text) != 18 or any(char not in _CREDIT_ALPHABET for char in text):
        return False
    values = [_CREDIT_ALPHABET.index(char) for char in text]
    total = sum(value * pow(3, at, 31) for at, value in enumerate(values[:17]))
    return (31 - total % 31) % 31 == values[17]
