"""A text as a searcher with a sharp eye reads it, one character for one, so that places stay places."""

from __future__ import annotations

import unicodedata

_UNSEEN = {*range(0xFE00, 0xFE10), 0x20E3}  # variation selectors, the frame of a keycap
_CIRCLED = (
    *range(0x2460, 0x24FF),
    *range(0x2776, 0x2794),
    *range(0x2070, 0x208A),
    0xB2,
    0xB3,
    0xB9,
)


class _Fold(dict[int, str]):
    """NFKC and lower case, learned as characters turn up.

    Any blank or invisible character becomes a space, any dash a hyphen, any decimal its digit.
    ① stays: before a number it is a list mark, not its first digit.
    """

    def __missing__(self, code: int) -> str:
        char, kind = chr(code), unicodedata.category(chr(code))
        plain = unicodedata.normalize("NFKC", char).lower()
        if kind in ("Zs", "Cf") or code in _UNSEEN:
            plain = " "
        elif kind == "Pd" or char in "−ー─━":
            plain = "-"
        elif kind == "Nd":
            plain = str(unicodedata.decimal(char))
        self[code] = plain if len(plain) == 1 and kind != "No" else char
        return self[code]


FOLD = _Fold()

_CHINESE = dict(
    zip("〇零○一壹幺二两贰三叁四肆五伍六陆七柒八捌九玖", "00011122233445566778899", strict=True)
)
_IN_CIRCLES = {
    chr(code): str(unicodedata.digit(chr(code)))
    for code in _CIRCLED
    if unicodedata.digit(chr(code), None) is not None
}
# What is a digit in a number only: elsewhere it is part of a word (第一), or a mark (①, m²).
NUMERALS = str.maketrans(_CHINESE | _IN_CIRCLES)
YAO = "么"  # 1 where a number is told, and in 什么, 怎么 no digit at all
DIGIT = f"[0-9{YAO}{''.join(map(chr, NUMERALS))}]"
# What may stand between two digits of one number.
SEPARATORS = r"\s.,，。、/\\_~·•・*|:;'\"()+=…^#—-"
GAP = f"[{SEPARATORS}]{{0,4}}"
