"""Masking what is known of a caller: name, phones, home, in whatever form they stand (R-36).

What is masked is gone. What merely looks like somebody's is left to shared/security/masking.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from services.intake.rules.names import stands_as_name
from services.intake.rules.phones import normal_phone, without_country
from shared.security.masking import LABELS, mask_found
from shared.security.numbers import PHONE, Span
from shared.security.reading import FOLD, NUMERALS

NAME, HOME = "[姓名]", "[住址]"
NOBODY = frozenset(
    {"匿名", "市民", "群众", "居民", "先生", "女士", "来电人", "不详", "未知", "保密"}
)


class _Dense(dict[int, str]):
    """What is left of a character when a text is searched: its folded form with numerals as digits,
    nothing of what is no letter, learned as characters turn up. NUL stays, nothing is found across it.
    """

    def __missing__(self, code: int) -> str:
        plain = FOLD[code].translate(NUMERALS)
        self[code] = plain if plain.isalnum() or plain == "\0" else ""
        return self[code]


_DENSE = _Dense()
_DIGITS, SHORTEST = re.compile(r"\d"), 5  # digits of the shortest phone: 95588
_BETWEEN_NAMES = re.compile(r"[(),/、;]")
_TITLE = re.compile("(?:先生|女士|小姐|同志|老师)$")
_LABEL = re.compile("|".join(map(re.escape, {NAME, HOME, *LABELS})))
# Where the numbers of an address begin; a step towards the door; the steps that few share.
_NUMBERED = re.compile(r"[a-z]?\d")
_STEP = re.compile(r"([a-z]?\d+)([^\da-z]*)")
_STAIRS = ("单元", "梯", "门")
_DISTRICT = re.compile(r"[^省市县区镇乡]{1,8}(?:省|市|县|区|镇|乡|街道)")


def mask_exact(
    text: str,
    names: Iterable[str] = (),
    phones: Iterable[str] = (),
    addresses: Iterable[str] = (),
    public: Collection[str] = (),
) -> str:
    """Replace what is known of a person, however it is spaced, dashed or spelled in full width.

    Not searched: names of one character and titles (王先生 stays), addresses that are only a
    district, and names where they are none (``public`` names of places; 早高峰). A home address is
    also found in parts that lead to a door: without the districts before it, up to the stairs, as
    the numbers alone.
    """
    text = unicodedata.normalize("NFC", text)
    seen = text.translate(_DENSE)
    likely = phones if len(_DIGITS.findall(seen)) >= SHORTEST else ()
    wanted = [
        *((NAME, name) for given in names for name in _name_forms(given)),
        *((PHONE, digits) for given in likely for digits in _phone_forms(given)),
        *((HOME, place) for given in addresses for place in _address_forms(given, seen)),
    ]
    needles = [(label, needle) for label, needle in wanted if len(needle) > 1]
    if not any(needle in seen for _, needle in needles):
        return text  # nearly every text: who calls in seldom writes their own name or number
    return mask_found(text, lambda known: _exact_spans(known, needles, public))


def _exact_spans(
    text: str, needles: Iterable[tuple[str, str]], public: Collection[str]
) -> Iterator[Span]:
    seen = text.translate(_DENSE)
    if not any(needle in seen for _, needle in needles):
        return
    folded = _LABEL.sub(lambda label: "\0" * len(label[0]), text.translate(FOLD))
    plain = folded.translate(NUMERALS)
    places = [at for at, char in enumerate(plain) if char.isalnum() or char == "\0"]
    dense = "".join([plain[at] for at in places])
    for label, needle in needles:
        at = dense.find(needle)
        while at >= 0:
            start, end = places[at], places[at + len(needle) - 1] + 1
            if _stands_alone(folded, start, end, label, needle) and (
                label != NAME or stands_as_name(folded, start, end, public)
            ):
                lead_in = "+(" if ")" in folded[start:end] else "+"
                lead = len(folded[:start]) - len(folded[:start].rstrip(lead_in))
                yield start - lead if needle.isdecimal() else start, end, label
            at = dense.find(needle, at + 1)


def _stands_alone(folded: str, start: int, end: int, label: str, needle: str) -> bool:
    """No part of a longer word or number, no name read across the end of a sentence."""
    if label == NAME and any(char in ",。!?;\n" for char in folded[start:end]):
        return False
    if needle.isdecimal() and len(needle) >= 10:
        return True
    edges = (folded[max(start - 1, 0) : start + 1], folded[end - 1 : end + 1])
    return not any(
        len(pair) == 2 and pair.isascii() and (pair.isdigit() or pair.isalpha()) for pair in edges
    )


def _dense(given: str) -> str:
    return unicodedata.normalize("NFC", given).translate(_DENSE).replace("\0", "")


def _name_forms(given: str) -> Iterator[str]:
    folded = given.translate(FOLD)
    for part in [folded] if folded.isalpha() else _BETWEEN_NAMES.split(folded):
        name = _TITLE.sub("", part.strip())
        if len(name) > 1 and name not in NOBODY:
            yield _dense(name)


def _phone_forms(given: str) -> Iterator[str]:
    spelled = (normal_phone(given) or _dense(given)).partition("-")[0]
    if spelled[:1] == "+":
        yield without_country(spelled)
    number = spelled.lstrip("+")
    local = number[3 if number[1:2] in ("1", "2") else 4 :] if number[:1] == "0" else ""
    for form in {number, number.removeprefix("0")}:
        yield from (form, f"86{form}", f"0086{form}")
    yield local


def _address_forms(given: str, seen: str) -> Iterator[str]:
    """What to look for in a text of which the letters are ``seen``."""
    tail = whole = street = _dense(given)
    while found := _DISTRICT.match(tail):
        tail = tail[found.end() :]
        if len(tail) > 4 and any(map(str.isdigit, tail)):
            street = tail
            yield tail
    if tail:
        yield whole
        yield from _parts_of(street, seen)


def _parts_of(place: str, seen: str) -> Iterator[str]:
    """Of 环城路8号2单元301: 环城路8号2单元, 环城路8-2-301, 8号2单元301, 2单元301.

    A house many live in is nobody's home: its door, or its stairs, must be named.
    """
    found = _NUMBERED.search(place)
    if found is None:
        return
    street, numbers = place[: found.start()], place[found.start() :]
    steps = list(_STEP.finditer(numbers))
    if steps[-1][1] not in seen and not any(
        step[0] in seen for step in steps if step[2] in _STAIRS
    ):
        return
    bare = "".join(step[1] for step in steps)
    door = re.sub(r"(?:室|号|户)$", "", numbers)
    for at, step in enumerate(steps):
        rest = door[step.start() :]
        if len(steps) - at > 1 and len(rest) > 4:
            yield rest
        if at and step[2] in _STAIRS and street:
            yield street + numbers[: step.end()]
    if len(steps) > 1 and street:
        yield street + door
        yield street + bare
