"""What a row of digits in a text is: somebody's phone, paper or card, or a number of other things.

A row may be grouped in any way and written in any digits. What it is, is told by its own form, by
check digits (checksums.py), by the words before it (电话, 订单号) and what is counted after it (元).
Where that leaves a doubt about somebody's number it is masked: it can be opened again, a leak cannot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from shared.security.checksums import is_credit_code, is_id, is_luhn, looks_like_id
from shared.security.reading import DIGIT, GAP, NUMERALS, SEPARATORS

PHONE, PAPER, CARD = "[电话]", "[证件]", "[银行卡]"
AREA_CODE = r"(?:10|2\d|[3-9]\d\d)"  # of a landline, without its 0

Span = tuple[int, int, str]  # from, to, and what to put there

_ROW = re.compile(f"{DIGIT}(?:{GAP}{DIGIT}){{6,}}")
_PLAIN_ROW = re.compile(rf"[0-9](?:{GAP}[0-9]){{6,}}")
_LAST_X = re.compile(f"{GAP}x(?![a-z0-9])")
_GROUP = re.compile("[0-9]+")
_YAO = re.compile("(?<![什怎那这多要])么")
_NUMERAL = re.compile(f"[{''.join(map(chr, NUMERALS))}]")
MOST_GROUPS, MOST_DIGITS = 20, 24  # of one number

# --- what numbers look like, by their digits ---------------------------------------------------

_MOBILE = re.compile(r"(?:(?:00)?86)?0?1[3-9]\d{9}")
_MOBILES = re.compile(r"(?:1[3-9]\d{9}){2,3}")
_LANDLINE = re.compile(rf"(?:0|(?:00)?860?){AREA_CODE}[2-8]\d{{6,7}}")
_NEAR = re.compile(r"(?:00)?(?:85[23][2-9]\d{7}|886[2-9]\d{7,8})")
_ABROAD = re.compile(r"00[1-9]\d{8,13}")
_LOCAL = re.compile(r"[2-8]\d{6,7}")
_SERVICE = re.compile(r"[48]00[1-9]\d{6}|9[56]\d{3,6}")
_SERVICE_GROUPS = frozenset({(7,), (8,), (10,), (3, 3, 4), (3, 7), (4, 3, 3), (3, 4, 3)})
# What digits may be that no word stands before: most of a long row is nothing, and soon told.
_POSSIBLE = re.compile(
    rf"{_MOBILE.pattern}|{_MOBILES.pattern}|{_LANDLINE.pattern}|{_NEAR.pattern}|{_ABROAD.pattern}"
    rf"|{_SERVICE.pattern}|[3-69]\d{{12,18}}"
    r"|[1-8]\d{5}(?:18|19|20)\d\d[01]\d[0-3]\d{4,5}|[1-8]\d{7}[01]\d[0-3]\d{4}"
)
_EXTENSION = re.compile(r" ?(?:-|转分机|转|分机|ext\.?) ?\d{1,6}(?!\d)")
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_DATED = re.compile(rf"(?:19|20)\d\d{_DAY}(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?")

# What is read over before numbers are looked for, in a row: tickets, dates with times, amounts.
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_NOT_MORE = r"(?!\d|[-./:]\d)"
_ALONE = rf"(?!{GAP}\d)"
_OTHER = re.compile(
    rf"""(?<!\d)(?<!\d[{SEPARATORS}])(?:
        20\d{{6}}-\d{{6}}(?!\d)
      | (?:19|20)\d\d(?P<by>[-./])(?:0?[1-9]|1[0-2])(?P=by)(?:0?[1-9]|[12]\d|3[01])
        (?:[ ]{{0,2}}{_TIME})?(?:{_NOT_MORE}|(?=-(?:19|20)\d\d[-./]))
      | {_TIME}[ ]?[-~][ ]?{_TIME}(?![\d:])
      | \d{{1,3}}(?:,\d{{3}}){{1,2}}(?:\.\d{{1,2}})?{_ALONE}
      | (?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){{3}}(?![\d.]|[-_*·\s]{{1,4}}\d)
    )""",
    re.VERBOSE,
)

# --- what stands around them -------------------------------------------------------------------

LOOK_BACK = 24
_LEADS = r"[\s:：是为=#№(\[【]{0,4}"
_OF_PAPER = re.compile(rf"(?:身份证|居民证|证件|身份)(?:号码?|编号|号)?{_LEADS}$")
_OF_CARD = re.compile(rf"(?:卡号|银行卡|信用卡|储蓄卡|账号|帐号|账户|帐户|卡){_LEADS}$")
_OF_PHONE = re.compile(
    r"(?:电话|手机|座机|固话|致电|拨打|来电|联系方式|联系|传真|短信|号码|tel|phone|mobile|[打拨]"
    rf"|\[电话\d*\][、,;/或和及]){_LEADS}\+?$"
)
_OF_THINGS = re.compile(
    r"(?:编号|案号|案件|文号|字号|单号|订单|运单|快递|物流|流水|批次?|工单|信访件?|受理|回执|发票|票据"
    r"|合同|户号|表号|代码|规划|许可证?|产权证?|不动产权?证?|房产证|地块|项目|型号|序列|条码|学号|工号"
    rf"|案|档案|区划|邮编|备案|注册|执照)(?:编号|号码|号|第)?{_LEADS}(?:[a-z]{{1,6}}-?)?$"
)
_COUNTED = re.compile(
    r" ?(?:多|余)?(?:元|块|万|亿|千|美元|米|㎡|m2|平|公里|亩|公顷|吨|斤|公斤|度|立方|人|户|家|个|名|次|份|路"
    r"|号楼|栋|幢|层|楼|室|年|月|%|％|号(?!码))"
)
_MONEY = re.compile(r" ?(?:多|余)?(?:元|块|万|亿|千)")
_LIST = frozenset("、,，;；。")
# How people group a phone's digits, whatever stands between the groups; a paper's, a card's.
_PHONE_GROUPS = frozenset(
    {(3, 4, 4), (3, 8), (7, 4), (4, 7), (3, 3, 5), (3, 5, 3), (4, 3, 4), (4, 4, 3), (5, 6), (6, 5)}
    | {(3, 2, 2, 2, 2), (3, 4, 2, 2), (3, 2, 2, 4), (3, 3, 3, 2), (2, 3, 3, 3), (1, 10), (5, 3, 3)}
)
_PAPER_GROUPS = frozenset(
    {(6, 8, 4), (6, 4, 4, 4), (6, 4, 2, 2, 4), (6, 12), (3, 3, 8, 4), (6, 6, 3), (6, 9)}
    | {(4, 4, 4, 4, 2), (4, 4, 4, 6), (6, 8, 3), (6, 4, 4, 3), (4, 4, 4, 4, 1), (6, 4, 2, 2, 3)}
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Whole groups of a row that follow one another."""

    start: int
    end: int
    digits: str
    sizes: tuple[int, ...]
    text: str  # as it stands
    before: str
    after: str

    @property
    def whole(self) -> bool:
        """Whether it stands in one piece."""
        return len(self.sizes) == 1

    @property
    def in_singles(self) -> bool:
        return max(self.sizes) == 1

    @property
    def glued(self) -> bool:
        """Whether letters stand at its edges, as in numbers of parcels and codes."""
        return (self.before[-1:].isascii() and self.before[-1:].isalpha()) or (
            self.after[:1].isascii() and self.after[:1].isalpha()
        )

    @property
    def of_things(self) -> bool:
        """Whether the words before it, and before what it is joined to, say whose number it is."""
        return bool(_OF_THINGS.search(self.before.rstrip("0123456789-_./")))

    @property
    def listed(self) -> int:
        """How many marks of a list stand in it."""
        return sum(char in _LIST for char in self.text)

    @property
    def counts(self) -> bool:
        """Whether it is an amount, or a list."""
        return bool(_COUNTED.match(self.after)) or self.ascends

    @property
    def ascends(self) -> bool:
        """Whether it is a list of numbers, each larger than the one before."""
        if len(self.sizes) < 3 or not self.listed:
            return False
        numbers = [int(found) for found in _GROUP.findall(self.text)]
        return numbers == sorted(set(numbers))


def number_spans(plain: str, keep: Collection[str] = ()) -> Iterator[Span]:
    """Rows of digits in a folded text that are somebody's; those in ``keep`` stay."""
    for row in _ROW.finditer(plain):
        found = list(_spans_in(plain, row.start(), row.end(), keep))
        if not found and _NUMERAL.search(row[0]):
            found = list(_spoken_spans(plain, row.start(), row.end(), keep))
        yield from found


def _spans_in(plain: str, start: int, end: int, keep: Collection[str]) -> Iterator[Span]:
    """What stands in one row, in digits; of two that overlap the likelier, then the longer."""
    taken: list[tuple[int, int]] = []
    for by_birthday in (True, False):  # a date inside an ID is no date
        edge = max(0, start - 12)
        shown = plain[edge : end + 12]
        if not by_birthday:
            shown = _OTHER.sub(lambda other: "\0" * len(other[0]), shown)
        found = []
        for row in _PLAIN_ROW.finditer(shown):
            for each in _candidates(plain, row.start() + edge, row.end() + edge):
                if judged := _judge(each, keep, papers_only=by_birthday):
                    found.append((*judged, each))
        found.sort(key=lambda one: (-one[0], -len(one[2].digits), one[2].start))
        for _, label, each in found:
            if all(each.end <= a or b <= each.start for a, b in taken):
                begin, stop = _start_of(plain, each), _end_of(plain, each, label)
                taken.append((begin, stop))
                if label:
                    yield begin, stop, label


def _candidates(plain: str, start: int, end: int) -> Iterator[_Candidate]:
    groups = [(m.start() + start, m.end() + start) for m in _GROUP.finditer(plain[start:end])]
    for at, (first, _) in enumerate(groups):
        digits, sizes = "", []
        introduced = at == 0 or plain[first - 1] in "+("
        for begin, stop in groups[at : at + MOST_GROUPS]:
            digits += plain[begin:stop]
            sizes.append(stop - begin)
            if len(digits) > MOST_DIGITS:
                break
            if len(digits) >= 7 and (introduced or _POSSIBLE.fullmatch(digits)):
                yield _candidate(plain, first, stop, digits, tuple(sizes))


def _candidate(plain: str, start: int, end: int, digits: str, sizes: tuple[int, ...]) -> _Candidate:
    before, after = plain[max(0, start - LOOK_BACK) : start], plain[end : end + 6]
    text = plain[start:end]
    if len(digits) == 17 and (x := _LAST_X.match(after)):
        end, digits, after = end + x.end(), digits + "x", after[x.end() :]
    return _Candidate(start, end, digits, sizes, text, before, after)


def _start_of(plain: str, each: _Candidate) -> int:
    """With a + and the bracket that is closed inside."""
    start = each.start
    while start and (plain[start - 1] == "+" or (plain[start - 1] == "(" and ")" in each.text)):
        start -= 1
    return start


def _end_of(plain: str, each: _Candidate, label: str) -> int:
    found = _EXTENSION.match(plain, each.end) if label == PHONE and each.digits[0] == "0" else None
    return found.end() if found else each.end


# --- judging -----------------------------------------------------------------------------------


def _judge(each: _Candidate, keep: Collection[str], *, papers_only: bool) -> tuple[int, str] | None:
    """How likely it is somebody's, and whose label to put there; the empty label keeps it."""
    paper = _paper(each)
    if papers_only:
        return paper if paper and paper[0] > 1 else None
    digits = each.digits.removeprefix("0086").removeprefix("86")
    known = len(each.sizes) <= 3 and {each.digits, digits, f"0{digits}"}.intersection(keep)
    if known or (each.sizes in _SERVICE_GROUPS and _SERVICE.fullmatch(each.digits)):
        return (9 if known else 4), ""
    return _card(each) or _phone(each) or paper


def _paper(each: _Candidate) -> tuple[int, str] | None:
    said = bool(_OF_PAPER.search(each.before))
    if said and len(each.digits) in (15, 18):
        return 8, PAPER
    if not looks_like_id(each.digits):
        return None
    if each.of_things:
        return None
    if is_id(each.digits):
        return 8, PAPER
    if each.glued or is_credit_code(each.digits):
        return None
    usual = each.in_singles or each.sizes in _PAPER_GROUPS or (each.whole and len(each.digits) > 14)
    return (6 if usual else 1), PAPER


def _card(each: _Candidate) -> tuple[int, str] | None:
    digits = each.digits
    said = bool(_OF_CARD.search(each.before))
    if said and 9 <= len(digits) <= 24 and not _DATED.fullmatch(digits):
        return (7, CARD) if not _MOBILE.fullmatch(digits) else (7, PHONE)
    if not 13 <= len(digits) <= 19 or digits[0] not in "34569" or each.glued or digits[-1] == "x":
        return None
    if each.of_things or is_credit_code(digits):
        return None
    fours = set(each.sizes[:-1]) == {4} and each.sizes[-1] <= 4
    likely = is_luhn(digits) or (digits.startswith("62") and len(digits) >= 16)
    if not (likely or (fours and len(digits) >= 16)) or (each.counts and not each.whole):
        return None
    return (5 if each.whole or fours or each.in_singles else 1), CARD


def _phone(each: _Candidate) -> tuple[int, str] | None:
    digits = each.digits
    if _MOBILE.fullmatch(digits) or (each.whole and _MOBILES.fullmatch(digits)):
        return _mobile(each)
    said = bool(_OF_PHONE.search(each.before))
    if each.of_things or each.glued or each.counts or _DATED.fullmatch(digits):
        return None
    plus = each.before.rstrip(" (").endswith("+")
    if _LANDLINE.fullmatch(digits):
        return (4 if each.whole or said or len(each.sizes) <= 3 else 2), PHONE
    if _NEAR.fullmatch(digits) and (plus or said or each.sizes[0] == 3):
        return 4, PHONE
    if (plus and 8 <= len(digits) <= 15) or (_ABROAD.fullmatch(digits) and each.sizes[0] > 2):
        return 4, PHONE
    if said and (_LOCAL.fullmatch(digits) or (10 <= len(digits) <= 13 and not each.listed)):
        return 3, PHONE
    return None


def _mobile(each: _Candidate) -> tuple[int, str] | None:
    """In one piece it is one, whatever is said of it; in groups words, counts and years tell."""
    if each.whole:
        return None if each.digits[0] == "0" and each.of_things else (5, PHONE)
    own = each.sizes
    while own and sum(own) > 11 and own[0] <= 4:  # less the country's code
        own = own[1:]
    usual = own in _PHONE_GROUPS or max(own, default=1) == 1 or own == (11,)
    said = bool(_OF_PHONE.search(each.before))
    counted = _MONEY if usual and said else _COUNTED
    if counted.match(each.after) and not each.in_singles:
        return None
    if not usual and each.ascends:
        return None
    if said:
        return 5 if usual else 3, PHONE
    if each.of_things:
        return None
    years = [found for found in _GROUP.findall(each.text) if re.fullmatch(r"(?:19|20)\d\d", found)]
    if len(years) > 1 and (each.listed or not usual):
        return None
    return (5 if usual else 2), PHONE


# --- in words ----------------------------------------------------------------------------------

_TOLD_PHONE = re.compile(rf"(?:00)?(?:86)?1[3-9]\d{{9}}|0{AREA_CODE}[2-8]\d{{6,7}}")


def _spoken_spans(plain: str, start: int, end: int, keep: Collection[str]) -> Iterator[Span]:
    """The same row with numerals as digits. 一直 follows a number, 什么 comes before it: so what is
    told in words may begin and end anywhere, but inside no number in digits.
    """
    told = _YAO.sub("1", plain).translate(NUMERALS)
    places = [at for at in range(start, end) if told[at].isdecimal()]
    if not places:
        return
    row = _candidate(told, places[0], places[-1] + 1, "".join(told[at] for at in places), (1,))
    judged = _judge(row, keep, papers_only=False) if len(places) < 20 else None
    if judged and judged[0] >= 3:
        if judged[1]:
            yield row.start, row.end, judged[1]
        return
    at = 0
    while at < len(places):
        label, count = _told_at(row.digits, at)
        own = places[at : at + max(count, 1)]
        cut = _splits(plain, own[0] - 1, own[0]) or _splits(plain, own[-1], own[-1] + 1)
        if label and not cut and any(plain[place] not in "0123456789" for place in own):
            yield own[0], own[-1] + 1, label
            at += count
        else:
            at += 1


def _told_at(digits: str, at: int) -> tuple[str, int]:
    """What begins at a digit, and how many it has: no label when nothing does."""
    if looks_like_id(digits[at : at + 18]):
        return PAPER, 18
    for count in (19, 18, 17, 16):
        card = digits[at : at + count]
        if len(card) == count and card[0] in "3456" and is_luhn(card):
            return CARD, count
    found = _TOLD_PHONE.match(digits, at)
    return (PHONE, len(found[0])) if found else ("", 0)


def _splits(plain: str, left: int, right: int) -> bool:
    """Whether a place lies between two digits of one group."""
    pair = plain[max(left, 0) : right + 1]
    return len(pair) == 2 and pair.isascii() and pair.isdecimal()
