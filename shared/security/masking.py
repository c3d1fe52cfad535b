"""Masking what looks like anybody's phone, paper, bank card, plate or account (R-36).

A text is read in a plain form, one character for one (reading.py). What the rows of digits in it are
is judged in numbers.py; what is no row of digits stands here. Patterns are bounded, so no text can
make them slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from shared.security.numbers import CARD, PAPER, PHONE, Span, number_spans
from shared.security.reading import DIGIT, FOLD, GAP

ACCOUNT, MAIL, PLATE = "[账号]", "[邮箱]", "[车牌]"
LABELS = (PHONE, PAPER, CARD, ACCOUNT, MAIL, PLATE)

_LEADS = r"[\s:是为=(]{0,4}"
_MAIL = re.compile(
    r"[a-z0-9._%+-]{1,64}+\s?(?:@|\(at\)|\[at\])\s?[a-z0-9-]{1,63}(?:\s?[.。]\s?[a-z0-9-]{1,63}){1,4}"
)
_ACCOUNT_WORDS = (
    "微信",
    "薇信",
    "威信",
    "v信",
    "加v",
    "wx",
    "vx",
    "weixin",
    "wechat",
    "qq",
    "扣扣",
    "企鹅",
)
_QQ, _MONEY = ("qq", "扣扣", "企鹅"), ("元", "块", "万")
_ACCOUNT = re.compile(
    rf"(?P<word>{'|'.join(_ACCOUNT_WORDS)})[ :]?(?P<named>群?(?:号码|账号|帐号|号|id)?)(?P<leads>{_LEADS})"
    rf"(?P<id>{DIGIT}(?:{GAP}{DIGIT}){{4,11}}(?![a-z0-9_-])|[a-z0-9_-]{{5,40}})"
)
_DIGIT = re.compile(DIGIT)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_PAPER_WORDS = (
    "护照", "通行证", "回乡证", "台胞证", "居留证", "军官证", "士兵证", "警官证", "驾驶证", "驾照", "社保卡",
    "医保卡",
)  # fmt: skip
_PAPER = re.compile(
    rf"(?:{'|'.join(_PAPER_WORDS)})(?:号码|编号|号|证号)?{_LEADS}"
    r"(?P<id>(?=[a-z -]{0,6}\d)[a-z]{0,3}[ -]?\d(?:[ -]?\d){5,17}x?(?![a-z0-9]))"
)
_PASSPORT = re.compile(r"[eg](?:\d{8}|[a-hj-np-z]\d{7})(?![a-z0-9])")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SOFT = r"[ .·•・_-]{0,2}"
_SIGN = f"(?:{DIGIT}|[a-z])"
_PLATE = re.compile(
    rf"[{_PROVINCES}]{_SOFT}[a-z]{_SOFT}(?P<tail>{_SIGN}(?:{_SOFT}{_SIGN}){{4,5}}"
    rf"|{_SIGN}(?:{_SOFT}{_SIGN}){{3}}[挂学警港澳领试])(?![a-z0-9])"
)


_SIGNS, FEWEST = re.compile(_SIGN), 3  # digits and letters, of the shortest there is: a@b.c


def mask_patterns(text: str, keep: Collection[str] = ()) -> str:
    """Replace what looks like a phone, paper, bank card, plate, e-mail address, QQ or WeChat id.

    Amounts, dates, and numbers of tickets, orders, cases and permits stay; telephones of services
    (95…, 400…) and the digits in ``keep``, the office's own.
    """
    return mask_found(text, lambda seen: pattern_spans(seen, keep))


def pattern_spans(text: str, keep: Collection[str] = ()) -> Iterator[Span]:
    """Where what looks like somebody's stands, and its label."""
    plain = text.translate(FOLD)
    if len(_SIGNS.findall(plain)) < FEWEST:
        return
    yield from number_spans(plain, keep)
    if "@" in plain or "at)" in plain or "at]" in plain:
        yield from ((*found.span(), MAIL) for found in _MAIL.finditer(plain))
    if any(word in plain for word in _ACCOUNT_WORDS):
        yield from _accounts(plain)
    if any(word in plain for word in _PAPER_WORDS):
        yield from ((*found.span("id"), PAPER) for found in _PAPER.finditer(plain))
    for found in _PASSPORT.finditer(plain):
        if not _is_letter(plain[: found.start()][-1:]):
            yield (*found.span(), PAPER)
    for found in _PLATE.finditer(plain):
        if len(_DIGIT.findall(found["tail"])) > 1:
            yield (*found.span(), PLATE)


def _accounts(plain: str) -> Iterator[Span]:
    for found in _ACCOUNT.finditer(plain):
        word, id = found["word"], found["id"]
        latin, introduced = word.isascii(), found.end("word") < found.start("id")
        if latin and _is_letter(plain[: found.start()][-1:]):
            continue
        if _MOBILE.fullmatch(id):
            continue
        if id.isascii() and id.isalpha():
            known = introduced or not latin
        elif id.isascii() and id[0].isalpha():
            known = True
        else:
            known = (introduced or word in _QQ) and not plain.startswith(_MONEY, found.end())
        if known and (word in _QQ or found["named"] or len(id) > 5):
            yield (*found.span("id"), ACCOUNT)


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()


def mask_found(
    text: str,
    search: Callable[[str], Iterable[Span]],
    put: Callable[[str, str], str] = lambda label, _: label,
) -> str:
    """Replace what a search finds; of two that overlap the longer one's label stands.

    ``put`` says what stands for a label and the text it hides. Masking one thing can bare the edge
    of its neighbour, so it is searched until nothing is found.
    """
    while spans := sorted(search(text)):
        text = _replaced(text, spans, put)
    return text


def _replaced(text: str, spans: Sequence[Span], put: Callable[[str, str], str]) -> str:
    parts, done, group = [], 0, spans[0]
    for span in (*spans[1:], (len(text), len(text) + 1, "")):
        if span[0] < group[1]:  # they overlap: one mask, under the longer one's label
            longer = max(group, span, key=lambda each: each[1] - each[0])
            group = (group[0], max(group[1], span[1]), longer[2])
            continue
        parts += [text[done : group[0]], put(group[2], text[group[0] : group[1]])]
        done, group = group[1], span
    return "".join([*parts, text[done:]])
