"""Masking what looks like anybody's phone, ID card, bank card or account (R-36).

What is masked is gone. Patterns are bounded, so no text can make them slow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

PHONE, PAPER, ACCOUNT = "[电话]", "[证件]", "[账号]"
LABELS = {
    **dict.fromkeys(("mobile", "landline", "local", "spoken"), PHONE),
    **dict.fromkeys(("account", "wechat", "qq"), ACCOUNT),
    **{"paper": PAPER, "card": "[银行卡]", "mail": "[邮箱]"},
}
AREA_CODE = r"(?:10|2\d|[3-9]\d\d)"  # of a landline, without its 0

Span = tuple[int, int, str]  # from, to, and what to put there


class _Fold(dict[int, str]):
    """NFKC and lower case, one character for one, learned as characters turn up.

    Any blank or invisible character becomes a space, any dash a hyphen, any decimal its digit.
    ① stays: before a number it is a list mark, not its first digit.
    """

    def __missing__(self, code: int) -> str:
        char, kind = chr(code), unicodedata.category(chr(code))
        plain = unicodedata.normalize("NFKC", char).lower()
        if kind in ("Zs", "Cf"):
            plain = " "
        elif kind == "Pd" or char in "−ー":
            plain = "-"
        elif kind == "Nd":
            plain = str(unicodedata.decimal(char))
        self[code] = plain if len(plain) == 1 and kind != "No" else char
        return self[code]


FOLD = _Fold()

_GAP = r"[ .\t-]{0,2}"
_CHINA = rf"\(?(?:\+|00)?86\)?{_GAP}"
_DAY = rf"(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12]\d|3[01])"
_NOT_DATED = r"(?!20\d\d(?:0[1-9]|1[0-2]))"
_SAID = r"[〇零一幺二两三四五六七八九]"
_IS = r"[\s:是为=]{0,3}"
_PATTERNS = re.compile(
    rf"""(?<!\d)(?=[\d(+])(?:
          (?P<paper>[1-9]\d{{5}}(?:{_GAP}(?:18|19|20)\d\d{_GAP}{_DAY}{_GAP}\d{{3}}[\dx]
            | \d\d{_DAY}\d{{3}}))
        | (?P<card>{_NOT_DATED}[1-9]\d{{15,18}}
            | [3-69]\d{{3}}(?:[ -]\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?)
        | (?P<mobile>(?:{_CHINA})?(?:1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}} | 1[3-9]\d{{3}}{_GAP}\d{{6}}
            | 1[3-9]\d\d{_GAP}\d{{3}}{_GAP}\d{{4}} | 1[3-9]\d\d{_GAP}\d{{4}}{_GAP}\d{{3}}
            | 1[ .-][3-9](?:[ .-]\d){{9}}))
        | (?P<landline>(?:\(?0|{_CHINA}\(?0?){AREA_CODE}\)?{_GAP}
            [2-8]\d{{2,3}}[ -]?\d{{4}}(?:(?:-|转)\d{{1,6}})?)
        )(?!\d)
      | (?P<mail>[a-z0-9._%+-]{{1,64}}+@[a-z0-9-]{{1,63}}\.[a-z0-9.-]{{1,190}})
      | (?P<spoken>[一幺][三四五六七八九](?:[ 、,-]?{_SAID}){{9}})
      | (?:电话|座机|固话|手机|号码|tel){_IS}(?P<local>{_NOT_DATED}[2-8]\d{{2,3}}[ -]?\d{{4}})(?!\d)
      | (?:qq|扣扣|微信|weixin|wechat|vx)(?:号码?|id|账号){_IS}(?P<account>[a-z0-9_-]{{5,40}})
      | (?:qq|扣扣){_IS}(?P<qq>[1-9]\d{{4,10}})(?!\d)
      | (?:微信|weixin|wechat|vx){_IS}(?P<wechat>[a-z][a-z0-9_-]{{5,40}})""",
    re.VERBOSE,
)


def mask_patterns(text: str) -> str:
    """Replace what looks like a phone, ID card, bank card, e-mail address, QQ or WeChat id.

    Prices, dates, ticket numbers and area codes stay.
    """
    return mask_found(text, _pattern_spans)


def _pattern_spans(text: str) -> Iterator[Span]:
    for found in _PATTERNS.finditer(text.translate(FOLD)):
        group = str(found.lastgroup)
        yield (*found.span(group), LABELS[group])


def mask_found(text: str, search: Callable[[str], Iterable[Span]]) -> str:
    """Replace what a search finds; of two that overlap the longer one's label stands.

    Masking one thing can bare the edge of its neighbour, so it is searched until nothing is found.
    """
    while spans := sorted(search(text)):
        text = _replaced(text, spans)
    return text


def _replaced(text: str, spans: Sequence[Span]) -> str:
    parts, done, group = [], 0, spans[0]
    for span in (*spans[1:], (len(text), len(text) + 1, "")):
        if span[0] < group[1]:  # they overlap: one mask, under the longer one's label
            longer = max(group, span, key=lambda each: each[1] - each[0])
            group = (group[0], max(group[1], span[1]), longer[2])
            continue
        parts += [text[done : group[0]], group[2]]
        done, group = group[1], span
    return "".join([*parts, text[done:]])
