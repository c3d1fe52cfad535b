"""docs/connect-phone.md: what the vendor of a phone system reads, its tables taken from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from operations.contracts.errors import CURES, known
from operations.contracts.facts import Json
from operations.contracts.vocabulary import WORDS
from services.feedback import phone
from services.feedback.rules import machine, planning, verdict
from services.feedback.schemas import RECORDED_AS, OutcomeIn
from services.feedback.settings import Settings
from services.feedback.webhook import ID, SIGNATURE, TIMESTAMP, Called, CallRequest
from services.intake.calls.schemas import CallReport
from services.intake.schemas import Citizen, NewTicket

TEXT = Path(__file__).parent / "phone_page.md"
MARK = re.compile(r"^\{\{(\w+)\}\}$", re.MULTILINE)
BEGINS = "planned"

# What the vocabulary of facts does not say, or says of facts only.
SAID = {
    "NewTicket.type": "性质 what kind of demand",
    "NewTicket.urgency": "紧急程度 as the call taker sees it",
    "NewTicket.topic": "诉求分类：表 topics 中的代码 a code of the table topics",
    "NewTicket.title": "标题 one line",
    "NewTicket.content": "诉求内容 what is said; names and numbers in it are masked",
    "NewTicket.area": "区域：表 areas 中的代码 a code of the table areas",
    "NewTicket.address": "事发地址 where the matter is, not where the citizen lives",
    "NewTicket.channel": "来源渠道：表 channels 中的代码 a code of the table channels",
    "NewTicket.source_number": "来源编号 the number your system or an upstream one gave it, however it "
    "looks; the same channel and number again is the same ticket",
    "NewTicket.upstream_due": "上级平台要求答复的时刻，须同时填写来源编号，渠道为上级平台；办理时限随之确定，"
    "过去的或过远的时刻不予登记 when the platform above wants the answer; only with its number and channel, "
    "and only a moment that lies ahead",
    "NewTicket.reported_unit": "被反映单位：表 units 中的代码；请改用 reported  a code of the table units; "
    "better say `reported`",
    "NewTicket.reported": "被反映对象：`units` 单位代码，`words` 职务、村名等文字，`nobody` 不涉及行政机关；"
    "举报不填则由派单员核实后派单 whom it is about: codes, posts and villages in words, or nobody of the "
    "administration; a report that leaves it out waits for the desk",
    "NewTicket.follows": "所续工单的编号 the ticket it goes on from",
    "NewTicket.caller": "诉求人 who calls; may be left out",
    "NewTicket.confidential": "保密；举报默认保密 left out: reports are confidential",
    "NewTicket.ending": "不派单的结束方式，见下 how the call ended, when no unit is to have it: see below",
    "NewTicket.call": "通话：上报通话事件时答复的 call the call it was made of, see section 6",
    "CallReport.id": "您的通话编号，任何写法 your own id of the call, whatever it looks like",
    "CallReport.event": "振铃、应答、挂断 it rings, is answered, is over",
    "CallReport.from": "来电号码，原样 the caller's number as it comes",
    "CallReport.to": "被叫号码 the number that was called",
    "CallReport.agent": "话务员令牌中的名字，不是分机号 the name in the agent's token, not an extension",
    "CallReport.at": "何时；不写为现在 when; now if left out",
    "CallRequest.contact": "被叫，见下表 whom to call, see below",
    "Citizen.name": "姓名",
    "Citizen.phone": "号码，原样照发，见下 as it came, see below",
    "Citizen.address": "住址 where the person lives",
    "OutcomeIn.attempt": "第几次拨打：请求中的 attempt as the request said",
    "OutcomeIn.outcome": "结果，见下表 what came of it, see below",
    "OutcomeIn.contacted": "承办单位是否联系过 did the unit contact you? when answered",
    "OutcomeIn.solved": "是否解决 was it solved? when answered",
    "OutcomeIn.satisfied": "是否满意 are you satisfied? when answered",
    "OutcomeIn.comment": "其他意见 whatever else was said; it is masked",
}
OUTCOMES = {
    "answered": "接通并答了至少一问；有异议即重办，没问完则再问 the citizen answered at least one "
    "question; one objection reopens, else the rest is asked again",
    "unreachable": "无人接听、占线 nobody answered, or busy",
    "no_answer": "同 unreachable 的旧词 the older word for unreachable",
    "refused": "拒绝回访 the citizen would not talk",
    "wrong_number": "号码不是本人；不再拨打，待更正 somebody else's number; called no more until it is "
    "corrected",
    "number_off": "停机、空号 the number is off or is none",
}


def page_for_phone_vendors() -> str:
    """docs/connect-phone.md: its text with every ``{{part}}`` put in."""
    parts = {
        "complaint": _fields(NewTicket),
        "caller": _fields(Citizen),
        "registration_errors": _errors(
            "malformed", "unknown-code", "idempotency-key-reused", "source-number-taken"
        ),
        "call": _fields(CallReport),
        "picture": _picture(),
        "statuses": _statuses(),
        "headers": _headers(),
        "request": _fields(CallRequest),
        "called": _fields(Called),
        "times": _times(),
        "outcome": _fields(OutcomeIn),
        "outcomes": _outcomes(),
        "verdicts": _verdicts(),
        "outcome_errors": _errors(
            *("wrong-attempt", "call-not-due", "already-reported", "callback-over"),
            *("not-found", "malformed"),
        ),
    }
    return MARK.sub(lambda found: "\n".join(parts[found[1]]), TEXT.read_text("utf-8"))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of Markdown, line by line."""
    for cells in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _fields(model: type[BaseModel]) -> Iterator[str]:
    document = model.model_json_schema()
    rows = (
        (
            f"`{name}`",
            _spelled(field, document),
            "是 yes" if name in document.get("required", ()) else "",
            _meaning(model, name, field),
        )
        for name, field in document["properties"].items()
    )
    return table(("字段 field", "类型 type", "必填 required", "含义 meaning"), rows)


def _meaning(model: type[BaseModel], name: str, field: Json) -> str:
    """What a field means. Raises LookupError for one that nobody described."""
    said = SAID.get(f"{model.__name__}.{name}") or field.get("description") or WORDS.get(name)
    if not said:
        raise LookupError(f"say what {model.__name__}.{name} means in {__name__}")
    return str(said)


def _spelled(field: Json, document: Json) -> str:
    """A type in words."""
    match field:
        case {"$ref": ref}:
            name = ref.rpartition("/")[2]
            below = document["$defs"][name]
            return _spelled(below, document) if "enum" in below else f"object `{name}`"
        case {"anyOf": [*some, {"type": "null"}]}:
            return " or ".join(_spelled(each, document) for each in some)
        case {"enum": values}:
            return " · ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": item}:
            return f"list of {_spelled(item, document)}"
        case {"type": "string", "maxLength": most}:
            return f"string ≤ {most}"
        case {"format": kind}:
            return str(kind).upper()
        case {"type": kind}:
            return str(kind)
    return "object"


def _errors(*slugs: str) -> Iterator[str]:
    by_slug = {error.slug: error for error in known()}
    rows = [
        (f"{by_slug[slug].status} [`{slug}`](errors.md#{slug})", by_slug[slug].title, CURES[slug])
        for slug in slugs
    ]
    return table(("状态 status", "含义 meaning", "处置 cure"), rows)


# --- the callback ------------------------------------------------------------------------------


def _picture() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {BEGINS}"
    for status, moves in machine.MOVES.items():
        yield from (f"    {status} --> {to}: {act}" for act, to in moves.items() if to != status)
    yield from (f"    {status} --> [*]" for status, moves in machine.MOVES.items() if not moves)
    yield "```"


def _statuses() -> Iterator[str]:
    rows = [(f"`{status}`", " ".join(said)) for status, said in machine.SENTENCES.items()]
    return table(("状态 status", "说明 who moves it on"), rows)


def _headers() -> Iterator[str]:
    found = [get_args(each)[1] for each in (ID, TIMESTAMP, SIGNATURE)]
    rows = [(f"`{header.alias}`", str(header.description)) for header in found]
    return table(("请求头 header", "含义 meaning"), rows)


def _times() -> Iterator[str]:
    first, cap = planning.ask_again_after(1), planning.ASK_AGAIN_CAP
    hours = Settings.model_fields["outcome_within_hours"].default
    lease = 2 * timedelta(seconds=phone.ASK_WITHIN)
    rows = [
        ("答复 to answer", f"{phone.TIMEOUT:.0f} s", "超时算未接收 later counts as not taken"),
        (
            "未接收后重发 after a refusal",
            f"{_minutes(first)}, ×2 … {_minutes(cap)}",
            "直到接收，webhook-id 不变 until it is taken, under the same webhook-id",
        ),
        (
            "我方中断后重发 when we broke off",
            f"{lease.total_seconds():.0f} s",
            "可能已收到过：按 webhook-id 去重 you may have it already: look at webhook-id",
        ),
        (
            "等待结果 to report the outcome",
            f"{hours:.0f} h",
            "过期按未接通计，另排一次 later it counts as missed and another attempt is planned",
        ),
    ]
    return table(("事项 what", "时长 how long", "之后 then"), rows)


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"


# --- the outcome -------------------------------------------------------------------------------


def _outcomes() -> Iterator[str]:
    due = machine.MOVES[_due()]
    rows = []
    for name in _choices("outcome"):
        outcome = RECORDED_AS.get(name) or verdict.Outcome(name)
        first, last = (due[verdict.action_for(outcome, at, 2)] for at in (1, 2))
        rows.append((f"`{name}`", OUTCOMES[name], f"`{first}`", f"`{last}`"))
    head = ("outcome", "何时用 when", "之后的状态 then", "最后一次时 at the last attempt")
    return table(head, rows)


def _due() -> Any:
    return next(status for status in machine.MOVES if status == "due")


def _verdicts() -> Iterator[str]:
    """What each combination of answers does to the ticket."""
    names = ("contacted", "solved", "satisfied")
    rows = []
    for given in product(*map(_choices, names)):
        answers: Any = dict(zip(names, given, strict=True))
        decided = verdict.judge(verdict.Answers(**answers))
        ends = (
            f"结案 closed: `{decided.kind}`"
            if isinstance(decided, verdict.Closed)
            else f"重办 reopened: {', '.join(f'`{reason}`' for reason in decided.reasons)}"
        )
        rows.append((*(f"`{str(each).lower()}`" for each in given), ends))
    return table((*names, "工单 the ticket"), rows)


def _choices(field: str) -> list[Any]:
    """What a field of the outcome may say."""
    schema = OutcomeIn.model_json_schema()["properties"][field]
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    return list(schema.get("enum", (True, False)))
