"""What is given as a caller's telephone: the numbers in it, each in one spelling.

Exchanges and people write anything there. Our own grammar is asked first: what it reads is spelled
as it always was, in the blind index too. What it does not know is looked up in ``phonenumbers``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

import phonenumbers

from shared.security.numbers import AREA_CODE
from shared.security.reading import FOLD, NUMERALS

# What exchanges and people put where a number is withheld.
WITHHELD = frozenset(
    {"anonymous", "unknown", "withheld", "restricted", "private", "unavailable", "hidden"}
    | {"none", "null", "nil", "n/a", "na"}
    | {"匿名", "匿名来电", "未知", "未知号码", "未显示", "号码未显示", "来电未显示", "保密"}
    | {"隐藏", "隐藏号码", "隐私号码", "不详", "无", "无号码", "没有"}
)
READ_AT_MOST = 200  # characters
LONG_ENOUGH = 7  # digits that tell a person's number from an extension or a service's

_LOCAL, _MOBILE = r"[2-8]\d{6,7}", r"1[3-9]\d{9}"
_CHINESE = re.compile(
    rf"(?:(?:\+|00)?86)?(?:({_MOBILE})|0({AREA_CODE}{_LOCAL})|([48]00[1-9]\d{{6}}))"
)
_CHINESE_BARE = re.compile(rf"(?:\+|00)86({AREA_CODE}{_LOCAL})")  # +86 915 …: no 0 before it
_SERVICE = re.compile(r"95\d{3,6}")
_ABROAD = re.compile(r"(?:\+|00)((?!86)[1-9]\d{6,14})")
_EXTENSION = re.compile(r"(.{7,40}?)\s*(?:-|转分机|转|分机|#|ext\.?|x)\s*(\d{1,6})")
# As we spell it. Without the -, seven digits and an extension of one would be another, longer number.
_EXTENDED = re.compile(rf"0{AREA_CODE}{_LOCAL}-\d{{1,6}}")
_LOCAL_ONLY = re.compile(_LOCAL)
# As exchanges dial it. Asked before the library, which does not know every mobile number there is.
_MOBILE_WITH_0 = re.compile(rf"(?:(?:\+|00)?86)?0({_MOBILE})")
# Exchanges leave the + of Hong Kong, Macao and Taiwan out. Of all others it is needed: a mobile number
# with one wrong digit is a valid number of some country.
_NEAR = re.compile(r"(?:85[23]|886)\d{8,9}")
_HOST = re.compile(r"@(?=[^\s;>,]*[a-z.])[^\s;>,]*")  # of a SIP address
_WORDS = re.compile(r"[^\s\"'<>()\[\]:;]+")
_BETWEEN = re.compile(r"[;,/、|]|或|和")
_NO_NUMBER = re.compile(r"[^\d+() .-]+")
_APART = re.compile(rf"(?<!\d)(?:1[3-9](?:[ .-]?\d){{9}}|0{AREA_CODE}[ -]?{_LOCAL})(?!\d)")
_DIGITS = re.compile(r"\+?\d{7,16}")
_GAPS = re.compile(r"[ \t./()-]")


@dataclass(frozen=True, slots=True)
class GivenPhone:
    """A caller's phone as it came, and the numbers read in it; the first is the contact."""

    given: str | None = field(default=None, repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def contact(self) -> str | None:
        """The number to call, None when there is none."""
        return self.numbers[0] if self.numbers else None

    @property
    def unreadable(self) -> bool:
        """Whether something was given and no number is in it; one that is withheld is none."""
        return bool(self.given) and not self.numbers and not _is_withheld(self.given or "")


def read_phone(given: str | None, area_code: str | None) -> GivenPhone:
    """Read what was given as a phone; ``area_code`` is the place's own, such as 0915, for local ones."""
    written = (given or "")[:READ_AT_MOST]
    if number := normal_phone(written):
        return GivenPhone(given, (number,))
    if _is_withheld(written):
        return GivenPhone(given)
    whole = partial(_read_whole, area_code=area_code)
    for spelled in (_plain(written), _plain(written).translate(NUMERALS)):
        if numbers := tuple(dict.fromkeys(_numbers_in(spelled, whole))):
            return GivenPhone(given, numbers)
    return GivenPhone(given)


def known_digits(numbers: Collection[str], given: str | None) -> tuple[str, ...]:
    """What to look for in texts, so that no number a caller gave is told: those that were read, and
    any long row of digits besides.
    """
    if given and given in numbers and given.isdecimal():  # nearly always: the number and no more
        return tuple(dict.fromkeys(numbers))
    parts = _BETWEEN.split(_plain((given or "")[:READ_AT_MOST]))
    rows = ("".join(filter(str.isdecimal, part)) for part in parts)
    return tuple(dict.fromkeys([*numbers, *(row for row in rows if len(row) >= LONG_ENOUGH)]))


def without_country(number: str) -> str:
    """A foreign number as it is written at home, for a normal form that begins with +."""
    try:
        return str(phonenumbers.parse(number).national_number)
    except phonenumbers.NumberParseException:  # a country that is none, taken in before
        return ""


def normal_phone(text: str) -> str | None:
    """One spelling per number: 13800138000, 09154421234(-extension), 4001234567, 95588, +1415….

    None when the text is no number: a landline needs its area code, a foreign number its +.
    """
    return _with_extension(text[:64].translate(FOLD).strip(), _whole)


# --- reading -----------------------------------------------------------------------------------

Whole = Callable[[str], str | None]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(FOLD).strip()


def _is_withheld(text: str) -> bool:
    """Also ``"Anonymous" <sip:anonymous@anonymous.invalid>``: every word of it says so."""
    words = set(_WORDS.findall(_HOST.sub("", _plain(text)))) - {"sip", "sips", "tel", "-"}
    return words <= WITHHELD


def _numbers_in(text: str, whole: Whole) -> Iterator[str]:
    text = _HOST.sub("", text)
    if number := _with_extension(text, whole):  # before it is split: 0915/4421234 is one
        yield number
        return
    for part in _BETWEEN.split(text):
        if number := _with_extension(part.strip(), whole):
            yield number
        else:
            for row in _NO_NUMBER.split(part):
                yield from _among(row, whole)


def _among(row: str, whole: Whole) -> Iterator[str]:
    """Numbers with nothing but blanks between them."""
    if number := whole(row):
        yield number
        return
    found = [match[0] for match in _APART.finditer(row)] or row.split()
    yield from filter(None, map(whole, found))


def _with_extension(written: str, whole: Whole) -> str | None:
    if _EXTENDED.fullmatch(written):
        return written
    if number := whole(written):
        return number
    parts = _EXTENSION.fullmatch(written)
    number = whole(parts[1]) if parts else None
    return f"{number}-{parts[2]}" if parts and number and number[0] == "0" else None


def _whole(written: str) -> str | None:
    """The number a text is, by our own grammar."""
    digits = _GAPS.sub("", written)
    if found := _CHINESE.fullmatch(digits):
        return found[1] or found[3] or f"0{found[2]}"
    if found := _CHINESE_BARE.fullmatch(digits):
        return f"0{found[1]}"
    if found := _ABROAD.fullmatch(digits):
        return f"+{found[1]}"
    return digits if _SERVICE.fullmatch(digits) else None


def _read_whole(written: str, area_code: str | None) -> str | None:
    """The same, and what the library knows: numbers of the place and of neighbours, and a 0 too many."""
    if number := _whole(written):
        return number
    digits = _GAPS.sub("", written)
    if found := _MOBILE_WITH_0.fullmatch(digits):
        return found[1]
    if area_code and _LOCAL_ONLY.fullmatch(digits):
        return _valid(area_code + digits)
    if _NEAR.fullmatch(digits):
        return _valid(f"+{digits}")
    return _valid(digits) if _DIGITS.fullmatch(digits) else None


def _valid(digits: str) -> str | None:
    try:
        number = phonenumbers.parse(digits, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return _whole(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
