"""A due moment in one paragraph that a citizen understands, Chinese and English (gain 1). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.explanation import Explanation, Stop
from services.tracker.rules.extending import Grant
from services.tracker.rules.machine import ClockStatus, Sentence
from services.tracker.rules.revising import Second
from services.tracker.rules.stated import MomentCorrected
from services.tracker.rules.upstream import Upstream
from shared.events import ClockKind
from shared.jurisdiction.calendar import Limit, Step
from shared.jurisdiction.codes import Units

# What the clock is called, and what is to be done within it.
DUTIES: Mapping[ClockKind, tuple[Sentence, Sentence]] = MappingProxyType(
    {
        ClockKind.DISPATCH: (
            Sentence("派单时限", "Time to dispatch"),
            Sentence("派单", "dispatched"),
        ),
        ClockKind.SIGN: (Sentence("签收时限", "Time to sign"), Sentence("签收", "signed for")),
        ClockKind.FIRST_CONTACT: (
            Sentence("先行联系时限", "Time to contact the citizen"),
            Sentence("联系诉求人", "contacted"),
        ),
        ClockKind.ATTEND: (
            Sentence("报到时限", "Time to attend"),
            Sentence("报到", "attended"),
        ),
        ClockKind.HANDLE: (
            Sentence("办理时限", "Time to handle it"),
            Sentence("办结", "completed"),
        ),
        ClockKind.CITIZEN: (Sentence("答复时限", "Time to answer"), Sentence("答复", "answered")),
        ClockKind.HOTLINE_REVIEW: (
            Sentence("申请审核时限", "Time to rule on the request"),
            Sentence("裁定", "ruled on"),
        ),
        ClockKind.COMPLETION_AUDIT: (
            Sentence("办结审核时限", "Time to audit the answer"),
            Sentence("审核", "audited"),
        ),
        ClockKind.PROMISE: (
            Sentence("承诺期限", "Promised day"),
            Sentence("兑现承诺", "done as promised"),
        ),
        ClockKind.ARBITRATION: (
            Sentence("争议裁决时限", "Time to arbitrate"),
            Sentence("裁决", "ruled on"),
        ),
    }
)
OTHER = (Sentence("时限", "Time"), Sentence("完成", "done"))
# What the citizen was waited for.
AWAITED: Mapping[str, Sentence] = MappingProxyType(
    {
        "documents": Sentence("提供材料", "documents"),
        "appointment": Sentence("约定时间", "an appointment"),
        "information": Sentence("补充情况", "information"),
    }
)
COOPERATION = Sentence("配合", "cooperation")
_NAMED = 6  # so many stretches of days are named; of more the rest is said to be there
_UNITS = {
    "wd": ("个工作日", "working days"),
    "wh": ("小时（工作时间）", "working hours"),
    "h": ("小时（自然时间）", "hours, day and night"),
    "min": ("分钟（自然时间）", "minutes, day and night"),
}


class _Days(NamedTuple):
    """Days in a row with one reason."""

    first: date
    last: date
    zh: str
    en: str


class Approved(NamedTuple):
    """An extension: so many working days, and the office that granted it; a supervisor where it is None."""

    days: int
    by: str | None


def approved(grants: Iterable[Grant], units: Units) -> list[Approved]:
    """Extensions as people read them, each office by its name."""
    return [Approved(each.days, _called(each.office, units)) for each in grants]


def _called(office: str | None, units: Units) -> str | None:
    known = units.unit(office) if office else None
    return known.name if known else office


def paragraph(
    kind: ClockKind,
    state: ClockState,
    why: Explanation,
    zone: tzinfo,
    revised: Second | None = None,
    righted: MomentCorrected | None = None,
    granted: Sequence[Approved] = (),
) -> Sentence:
    """Start, limit, days that do not count and by which notice, pauses, extensions, due moment, result;
    who put right what an upstream platform wants, and the second judgement, where there is one.
    ``granted``: its extensions, the first first.
    """
    called, act = DUTIES.get(kind, OTHER)
    limit = Limit.parse(state.terms.limit)
    begins = _promised(state, zone) if kind is ClockKind.PROMISE else None
    parts = [
        begins or _begins(called, state, limit, zone),
        *_skipped([*why.days, *why.extension_days], limit),
        *_stops(why.pauses, limit, zone),
        *_extended(state, granted),
        _ends(act, state, zone),
        *_notes(state, why, zone),
        *_righted(righted, zone),
        *_revised(revised, zone),
    ]
    return Sentence("".join(f"{zh}。" for zh, _ in parts), " ".join(f"{en}." for _, en in parts))


def _begins(called: Sentence, state: ClockState, limit: Limit, zone: tzinfo) -> Sentence:
    zh, en = length(limit)
    ground_zh, ground_en = _ground(state)
    first = "，开始当日不计入（《民法典》第二百零一条）" if limit.unit == "wd" else ""
    not_first = "; the first day does not count (Civil Code, article 201)" if first else ""
    start_zh, start_en = moment(state.started_at, zone)
    again = by = ("", "")
    if (version := state.terms.policy_version) > 1:
        by = (f"（时限规则第{version}版）", f" (policy version {version})")
    if state.resumed_at:
        at_zh, at_en = moment(state.resumed_at, zone)
        again = (
            f"，{at_zh}再次承办后接续计算",
            f", going on since the unit got it again on {at_en}",
        )
    return Sentence(
        f"{called.zh}{zh}{by[0]}{ground_zh}，自{start_zh}起算{again[0]}{first}",
        f"{called.en}: {en}{by[1]}{ground_en} from {start_en}{again[1]}{not_first}",
    )


def _ground(state: ClockState) -> Sentence:
    """Which rule the limit comes from, where it is not that of the type and urgency."""
    if law := state.terms.law:
        return Sentence(
            f"（法定时限：{law.law}{law.article}）", f" (set by law: {law.law}, {law.article})"
        )
    if rule := state.terms.rule:
        return Sentence(f"（{rule}）", f" ({rule})")
    return Sentence("", "")


def _promised(state: ClockState, zone: tzinfo) -> Sentence:
    start_zh, start_en = moment(state.started_at, zone)
    return Sentence(
        f"承办单位{start_zh}答复暂无条件办理，并承诺了办结日期",
        f"On {start_en} the unit answered that it cannot be done yet, and promised a day",
    )


def length(limit: Limit) -> Sentence:
    """A limit as people say it: ``5个工作日``, ``5 working days``."""
    zh, en = _UNITS[limit.unit]
    if limit.amount == 1:
        en = en.replace("s", "", 1)
    return Sentence(f"{limit.amount:g}{zh}", f"{limit.amount:g} {en}")


def _skipped(steps: Sequence[Step], limit: Limit) -> Iterator[Sentence]:
    """The days off within it, and the weekend days that count because they are worked."""
    if limit.natural:
        return
    off = list(_stretches(step for step in steps if not step.working))
    if off:
        yield Sentence(f"{_listed_zh(off)}，不计入", f"Not counted: {_listed_en(off)}")
    made_up = (step for step in steps if step.working and step.day.weekday() > 4)
    if worked := list(_stretches(made_up)):
        yield Sentence(f"{_listed_zh(worked)}，计入", f"Counted: {_listed_en(worked)}")


def _stretches(steps: Iterable[Step]) -> Iterator[_Days]:
    apart = enumerate(sorted({step.day: step for step in steps}.values()))

    def run(numbered: tuple[int, Step]) -> tuple[date, str]:
        nth, step = numbered
        return step.day - timedelta(days=nth), step.note_zh.partition("：")[0]

    for (_, why_zh), group in groupby(apart, key=run):
        days = [step for _, step in group]
        yield _Days(days[0].day, days[-1].day, why_zh, days[0].note_en.partition(": ")[0])


def _listed_zh(days: Sequence[_Days]) -> str:
    named = "；".join(f"{_days_zh(each)}{each.zh}" for each in days[:_NAMED])
    return named + ("等" if len(days) > _NAMED else "")


def _listed_en(days: Sequence[_Days]) -> str:
    named = "; ".join(f"{_days_en(each)} {each.en}" for each in days[:_NAMED])
    return named + (" and more" if len(days) > _NAMED else "")


def _days_zh(days: _Days) -> str:
    first, last = days.first, days.last
    if first == last:
        return f"{first.month}月{first.day}日"
    until = f"{last.day}日" if last.month == first.month else f"{last.month}月{last.day}日"
    return f"{first.month}月{first.day}日至{until}"


def _days_en(days: _Days) -> str:
    return str(days.first) if days.first == days.last else f"{days.first} to {days.last}"


def _stops(pauses: Iterable[Stop], limit: Limit, zone: tzinfo) -> Iterator[Sentence]:
    for pause in pauses:
        begins_zh, begins_en = moment(pause.begins_at, zone)
        why_zh, why_en = _why(pause)
        if pause.ends_at is None:
            yield Sentence(f"自{begins_zh}起{why_zh}暂停计时", f"Paused since {begins_en}{why_en}")
            continue
        ends_zh, ends_en = moment(pause.ends_at, zone)
        if begins_zh[:-5] == ends_zh[:-5]:
            ends_zh, ends_en = ends_zh[-5:], ends_en[-5:]
        hours = pause.given_back / 3600
        kind_zh, kind_en = ("", "hours") if limit.natural else ("（工作时间）", "working hours")
        yield Sentence(
            f"{begins_zh}至{ends_zh}{why_zh}暂停计时，期限顺延{hours:.3g}小时{kind_zh}",
            f"Paused from {begins_en} to {ends_en}{why_en}, which gives back {hours:.3g} {kind_en}",
        )


def _why(pause: Stop) -> Sentence:
    """What the citizen was waited for, where that is why it stood still."""
    if pause.awaited is None:
        return Sentence("", "")
    zh, en = AWAITED.get(pause.awaited, COOPERATION)
    return Sentence(f"因等待诉求人{zh}", f" to wait for {en} from the citizen")


def _extended(state: ClockState, granted: Sequence[Approved]) -> Iterator[Sentence]:
    """By whom each was granted, where they are all that lengthened it."""
    days = state.extension
    if not days:
        return
    if sum(each.days for each in granted) != days:
        yield Sentence(f"经批准延期{days}个工作日", f"Extended by {days} working days on approval")
        return
    for each, (again_zh, again_en) in zip(granted, (("", ""), ("再次", " again")), strict=False):
        who = (each.by or "督办员", each.by or "a supervisor")
        yield Sentence(
            f"经{who[0]}批准{again_zh}延期{each.days}个工作日",
            f"Extended{again_en} by {each.days} working days on approval of {who[1]}",
        )


def _ends(act: Sentence, state: ClockState, zone: tzinfo) -> Sentence:
    due_zh, due_en = moment(state.due, zone)
    due = Sentence(f"应于{due_zh}前{act.zh}", f"To be {act.en} by {due_en}")
    ended_zh, ended_en = moment(state.ended_at, zone) if state.ended_at else ("", "")
    late = state.breached_at is not None
    match state.status:
        case ClockStatus.MET:
            how = ("超过时限", "late") if late else ("未超时限", "in time")
            zh, en = f"已于{ended_zh}{act.zh}，{how[0]}", f"{act.en} on {ended_en}, {how[1]}"
        case ClockStatus.CANCELLED:
            zh, en = f"{ended_zh}起不再计时", f"not counted since {ended_en}"
            if late:
                zh, en = f"{zh}，此前已超过时限", f"{en}, and late before"
        case _ if late:
            zh, en = f"现已超过时限，尚未{act.zh}", "late, and not done yet"
        case _:
            return due
    return Sentence(f"{due.zh}；{zh}", f"{due.en}; {en}")


def _wanted(upstream: Upstream, *, followed: bool, zone: tzinfo) -> Sentence:
    """What the platform that passed it on wants, and whether that is what ends it (WF-20)."""
    due_zh, due_en = moment(upstream.due, zone)
    zh, en = (
        f"上级平台要求于{due_zh}前答复",
        f"The platform that passed it on wants the answer by {due_en}",
    )
    if not followed:
        return Sentence(f"{zh}，本时限不因此改变", f"{en}, which does not change this")
    if upstream.margin:
        margin_zh, margin_en = length(Limit.parse(upstream.margin))
        zh, en = f"{zh}，须提前{margin_zh}办结", f"{en}, and has to have it {margin_en} before"
    return Sentence(f"{zh}，按此到期", f"{en}, which ends it")


def _notes(state: ClockState, why: Explanation, zone: tzinfo) -> Iterator[Sentence]:
    if state.provisional:
        yield Sentence(
            "期限涉及放假安排尚未公布的年份，为暂定",
            "Provisional: it reaches into a year whose holidays are not announced",
        )
    upstream = state.terms.upstream
    if why.capped and (cap := state.terms.cap or (upstream and upstream.cap)):
        zh, en = length(Limit.parse(cap.limit))
        yield Sentence(
            f"自登记起办理总时限不超过{zh}，按此到期",
            f"Handling takes {en} from the registration at most, which ends it",
        )
    if upstream:
        yield _wanted(upstream, followed=why.upstream, zone=zone)
    if why.kept:
        yield Sentence(
            "按现行日历会更早到期，期限不提前",
            "By today's calendar it would end earlier; a due moment is never moved earlier",
        )


def _righted(righted: MomentCorrected | None, zone: tzinfo) -> Iterator[Sentence]:
    if righted is None:
        return
    at_zh, at_en = moment(righted.at, zone)
    was_zh, was_en = moment(righted.was, zone) if righted.was else ("未要求", "none")
    agreed_zh = agreed_en = ""
    if righted.agreed_by:
        agreed_zh, agreed_en = f"、{righted.agreed_by}同意", f", {righted.agreed_by} agreed"
    yield Sentence(
        f"上级平台要求的时刻经{righted.by}更正{agreed_zh}，自{at_zh}起适用（原为：{was_zh}）：{righted.reason}",
        f"What the platform wants was put right on {at_en} by {righted.by}{agreed_en} (before: {was_en}): "
        f"{righted.reason}",
    )


def _revised(revised: Second | None, zone: tzinfo) -> Iterator[Sentence]:
    if revised is None:
        return
    days_zh = "、".join(f"{day.year}年{day.month}月{day.day}日" for day in revised.by.days)
    days_en = ", ".join(map(str, revised.by.days))
    due_zh, due_en = moment(revised.due, zone)
    how = ("仍超过时限", "late all the same") if revised.late else ("未超过时限", "in time")
    yield Sentence(
        f"以上为首次判定。因{days_zh}的日历有误，已经两人核准更正（{revised.by.paper}）："
        f"更正后应于{due_zh}前完成，{how[0]}；首次判定与更正结果一并保留",
        f"That is the first judgement. The calendar had {days_en} wrong, and two persons revised it "
        f"({revised.by.paper}): to be done by {due_en}, {how[1]}; both judgements are kept",
    )


def moment(at: datetime, zone: tzinfo) -> Sentence:
    """An instant as people there write it: ``2026年3月7日14:30``, ``2026-03-07 14:30``."""
    wall = at.astimezone(zone)
    return Sentence(
        f"{wall.year}年{wall.month}月{wall.day}日{wall:%H:%M}", f"{wall:%Y-%m-%d %H:%M}"
    )
