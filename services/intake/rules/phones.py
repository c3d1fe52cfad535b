"""One spelling for each telephone number, however it was written."""

from __future__ import annotations

import re

from shared.security.masking import AREA_CODE, FOLD

_LOCAL, _MOBILE = r"[2-8]\d{6,7}", r"1[3-9]\d{9}"
_CHINESE = re.compile(
    rf"(?:(?:\+|00)?86)?(?:({_MOBILE})|0({AREA_CODE}{_LOCAL})|([48]00[1-9]\d{{6}}))"
)
_CHINESE_BARE = re.compile(rf"(?:\+|00)86({AREA_CODE}{_LOCAL})")  # +86 915 …: no 0 before it
_SERVICE = re.compile(r"95\d{3,6}")
_ABROAD = re.compile(r"(?:\+|00)((?!86)[1-9]\d{6,14})")
_EXTENSION = re.compile(r"(.{10,40})(?:-|转|#)(\d{1,6})")


def normal_phone(text: str) -> str | None:
    """One spelling per number: 13800138000, 09154421234(-extension), 4001234567, 95588, +1415….

    None when the text is no number: a landline needs its area code, a foreign number its +.
    """
    written = text[:64].translate(FOLD).strip()
    if number := _whole_phone(written):
        return number
    parts = _EXTENSION.fullmatch(written)
    number = _whole_phone(parts[1]) if parts else None
    return f"{number}-{parts[2]}" if parts and number and number[0] == "0" else None


def _whole_phone(written: str) -> str | None:
    digits = re.sub(r"[ \t./()-]", "", written)
    if found := _CHINESE.fullmatch(digits):
        return found[1] or found[3] or f"0{found[2]}"
    if found := _CHINESE_BARE.fullmatch(digits):
        return f"0{found[1]}"
    if found := _ABROAD.fullmatch(digits):
        return f"+{found[1]}"
    return digits if _SERVICE.fullmatch(digits) else None
