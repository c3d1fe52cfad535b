"""Who may what: every route of every service, as every caller, on a ticket of every kind.

The table is the whole truth: a route that is not in it fails the test, and so does a row that is no
route. What a route answers beyond yes or no is tested beside its service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import pytest
from fastapi.routing import iter_route_contexts

from operations.runtime.registry import NAMES, part
from shared.http.pages import VERSION
from tests.fixtures.bench import MONDAY_NINE
from tests.fixtures.postgres import Postgres
from tests.fixtures.roles_table import EVERYWHERE, TABLE
from tests.fixtures.scenes.dispatcher import DONE, RETURN
from tests.fixtures.scenes.intake import complaint
from tests.fixtures.scenes.street import EXTENSION, HOLDER, KINDS, STRANGER, Matter, Street, street

# +: may; 401 who are you; 403 not with this role; 404 not yours to know of.
# holder: the unit that holds the ticket. stranger: another one; of the kind `against` the unit that
# the report is about. feedback: the token of the one service that telephones.
CALLERS = (
    "nobody", "phone_system", "desk", "agent", "supervisor", "callback", "ops", "service", "feedback",
    "holder", "stranger",
)  # fmt: skip
SAID: dict[str, dict[str, Any]] = {  # by the last word of the path
    "tickets": complaint(),
    "batch": {"tickets": [complaint()]},
    "supplements": {"content": "补充"},
    "urges": {"note": "急"},
    "withdrawal": {"reason": "已自行解决"},
    "contact-reads": {"reason": "约上门"},
    "matter-reads": {"reason": "约上门"},
    "cleared-words": {"text": "王小明说没修好"},
    "contact-requests": {"reason": "约上门"},
    "corrections": {"reason": "号码记错", "caller": {"phone": "13909150002"}},
    "read": {"done": "已电话答复"},
    "duplicates": {"topic": "water.supply", "area": "610924100", "content": "停水三天"},
    "merge": {"reason": "同一处停水"},  # into the ordinary one: see body_of
    "unmerge": {"reason": "并非同一处"},
    "split": {
        "remainder": {"content": "停水"},
        "matters": [{"content": "垃圾无人清运", "topic": "sanitation.refuse"}],
        "reason": "一次来电两件事",
    },
    "direct-answer": {"answer": "今晚恢复供水"},
    "not-accepted": {"reason": "outside_territory"},
    "handed-over": {"line": "119", "taken_by": "3号接警员", "at": MONDAY_NINE},
    "dispatch": {"reason": "须由单位办理"},
    "call-rating": {"rating": "satisfied"},
    "malicious-use": {"evidence": "反复拨打不说话", "warned": True},
    "undo": {"reason": "标记有误"},
    "lookup": {"phone": "13909150001"},
    "calls": {"id": "another", "event": "new"},
    "draft": {"title": "停水"},
    "transcript": {"content": "我家停水三天"},
    "tries": {"outcome": "no_answer"},
    "sign": {"handler": "张三"},
    "contacts": {"how": "phone", "outcome": "reached"},
    "progress": {"note": "已到现场"},
    "return-requests": RETURN,
    "return-withdrawal": {"reason": "经核实属本单位职责"},
    "co-handlers": {"unit": "GT", "reason": "协助勘查"},
    "release": {"reason": "已无需协办"},
    "legal-limit": {"law": "《条例》", "article": "第三条", "limit": "60wd", "reason": "须审批"},
    "legal-limit-withdrawal": {"reason": "不属该条例"},
    "reforms": {"kind": "merge", "into": "GT", "effective": "2026-12-31", "reason": "紫编发3号"},
    "approval": {"note": "同意"},
    "approvals": {"lead": "HC", "ground": "需属地镇牵头"},
    "decision": {"granted": False, "note": "照旧"},
    "press": {"unit": "GT", "note": "请尽快答复"},
    "hand-down": {"unit": "JJDD", "reason": "请到现场查看"},
    "handler": {"handler": "李四", "handler_account": "lisi", "reason": "轮班"},
    "whistle": {"units": ["SWJ"], "need": "请到现场", "ground": "镇无处罚权"},
    "attend": {"person": "王五"},
    "attendance": {"unit": "SWJ", "attendance": "present"},
    "call-off": {"unit": "SWJ", "reason": "误吹"},
    "take-back": {"unit": "JJDD", "reason": "由本单位办理"},
    "completion": DONE,
    "wait": {
        "awaited": "documents",
        "reason": "等待诉求人提供房产证",
        "contact_time": "2026-03-02T09:00:00+08:00",
    },
    "wait-end": {"note": "诉求人已提供"},
    "wait-ruling": {"granted": False, "ruling": "应继续办理"},
    "completion-withdrawal": {"reason": "继续办理"},
    "completion-ruling": {"granted": False, "ruling": "应继续办理"},
    "audit": {"outcome": "passed"},
    "arbitration": {"grounds": "单位互相推诿"},
    "statements": {"words": "不属我单位职责"},
    "raise": {"grounds": "本级无法认定"},
    "ruling": {},  # six doors of that name: see body_of
    "assign": {"lead": HOLDER, "reason": "改派"},
    "recall": {"reason": "转由热线答复"},
    "drafts": {"note": "修订"},
    "publication": {"digest": "0" * 64},  # of another text: it is let in, and told so
    "content": {"note": "重新起草"},
    "rules": {"rule": {"id": "x", "topic": "water", "lead": "GSGS", "reason": "供水"}},
    "rule": {"everywhere": True},
    "discarding": {"reason": "不再需要"},
    "simulate": {"from": "2026-03-01", "to": "2026-03-31"},  # with a draft: see body_of
    "extensions": EXTENSION,
    "supervisions": {"rung": 1, "reason": "催办"},
    "instructions": {"leader": "李县长", "paper": "紫政批〔2026〕3号", "text": "请限期办结"},
    "stale-knowledge": {"entry": "医保报销比例", "wrong": "仍为旧比例"},
    "acknowledgement": {"taken_up_by": "值班室主任", "measures": "已派人到场"},
    "referrals": {"ground": "falsified", "reason": "办结照片系他处所拍"},
    "answer": {"measures": "增派人手", "result": "已修复"},
    "fulfilment": {"result": "已修复"},
    "move": {"promised_date": "2026-12-31", "reason": "待气温回升"},
    "revisions": {"days": ["2026-03-02"], "ground": "漏报", "paper": "紫政办发9号"},
    "reviews": {"note": "已备料"},
    "comment": {"comment": "经办人记得号码"},
    "dismissal": {"reason": "已核实"},
    "outcome": {"attempt": 1, "outcome": "no_answer"},
    "verdict": {"satisfied": "satisfied"},
    "reopening": {"by": "citizen", "reason": "仍未修好"},
    "clock": {"now": MONDAY_NINE.replace("03-02", "03-04")},
}
RULINGS = {
    "intake": {"granted": False, "reason": "无必要"},
    "dispatcher": {"granted": False, "ruling": "职责清楚"},
    "tracker": {"granted": False, "reason": "理由不充分"},
}
WITH_A_BODY = ("POST", "PUT")
MAY = (200, 201, 204, 409)  # whoever is told that the state does not allow it has been let in


class Row(NamedTuple):
    """One line of the table: what each caller is answered, on some kinds of tickets."""

    service: str
    method: str
    path: str
    answers: dict[str, str]
    kinds: tuple[str, ...]


class Try(NamedTuple):
    """One request, and what the table says of it."""

    row: Row
    kind: str
    caller: str
    expected: str

    @property
    def changes(self) -> bool:
        """Whether it may change what others of the table look at."""
        reads = self.row.method == "GET" or self.row.path.endswith(
            ("contact-reads", "matter-reads")
        )
        return self.expected == "+" and not reads


def rows() -> Iterator[Row]:
    """The table, read."""
    repeated = [EVERYWHERE.replace("*", name) for name in NAMES]
    for line in "".join((TABLE, *repeated)).splitlines():
        if not line or line.startswith("#"):
            continue
        service, method, path, *rest = line.split()
        answers = dict(zip(CALLERS, rest, strict=False))
        every = tuple(KINDS) if "{" in path else ("ordinary",)
        yield Row(service, method, path, answers, tuple(rest[len(CALLERS) :]) or every)


def tries() -> list[Try]:
    """Every line as every caller on every kind; what changes something comes last."""
    found = [
        Try(row, kind, caller, row.answers[caller])
        for row in rows()
        for kind in row.kinds
        for caller in CALLERS
    ]
    return sorted(found, key=lambda one: one.changes)


def routes() -> set[tuple[str, str, str]]:
    """Every route of every service, from the applications themselves."""
    return {
        (name, method, str(route.path))
        for name in NAMES
        for route in iter_route_contexts(part(name).app(part(name).settings(embedded=True)).routes)
        for method in (route.methods or ("every method",))
        if method != "HEAD"  # of the documents: what GET says, without saying it
    }


def test_the_table_has_every_route_and_no_other() -> None:
    table = {(row.service, row.method, row.path) for row in rows()}
    assert table == routes(), "TABLE has a row for each route, and no other"


def test_every_post_and_put_has_its_body() -> None:
    posted = {row.path.rpartition("/")[2] for row in rows() if row.method in WITH_A_BODY}
    assert posted - {"ruling"} == SAID.keys() - {"ruling"}, "SAID has a body for each"


def test_the_table_answers_everybody_on_every_kind() -> None:
    for row in rows():
        assert set(row.answers) == set(CALLERS), row
        assert set(row.answers.values()) <= {"+", "401", "403", "404"}, row
    for read in ("contact-reads", "matter-reads"):
        path = f"/v1/tickets/{{number}}/{read}"
        kinds = [kind for row in rows() for kind in row.kinds if row.path == path]
        assert sorted(kinds) == sorted(KINDS), path


@pytest.fixture(scope="module")
async def whole(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Street]:
    """A running system."""
    async with street(postgres, tmp_path_factory.mktemp("var")) as one:
        await one.miss()
        await one.draw_up()
        yield one


def body_of(whole: Street, row: Row) -> dict[str, Any] | None:
    """What a caller posts there."""
    last = row.path.rpartition("/")[2]
    if row.method not in WITH_A_BODY:
        return None
    into = {"into": whole.matters["ordinary"].number} if last == "merge" else {}
    into |= {"draft": whole.drafts["tracker"]} if last == "simulate" else {}
    if row.path.endswith("{arbitration}/ruling"):
        return {"lead": HOLDER, "ruling": "由其承办"}
    if row.path.endswith("{revision}/ruling"):
        return {"granted": False, "note": "照旧"}
    if row.path.endswith("{supervision}/ruling"):
        return {"accepted": True, "reason": "属实"}
    return RULINGS[row.service] if last == "ruling" else SAID[last] | into


async def answered(whole: Street, one: Try) -> str:
    """What a caller is answered: +, or the status."""
    matter: Matter = whole.matters[one.kind]
    role, unit = {"holder": ("unit", HOLDER), "stranger": ("unit", STRANGER)}.get(
        one.caller, (one.caller, None)
    )
    names = {"number": matter.number, "assignment": matter.assignment, "code": HOLDER}
    names |= {"extension": matter.extension, "callback": matter.callback}
    none = (
        "request",
        "arbitration",
        "supervision",
        "discrepancy",
        "reform",
        "precedent",
        "approval",
        "correction",
        "revision",
        "referral",
    )
    names |= dict.fromkeys(none, matter.assignment)  # of these there is none
    names |= {"call": whole.call, "pop": whole.pop}
    names |= {"draft": whole.drafts.get(one.row.service, ""), "edition": "1", "policy": "1"}
    names |= {"version": VERSION, "name": "start.js", "table": "topics", "slug": "forbidden"}
    answer = await whole.ask(
        one.row.service,
        one.row.method,
        one.row.path.format(**names),
        None if role == "nobody" else role,
        unit,
        json=body_of(whole, one.row),
        headers={"X-Ticket-Code": matter.code},
    )
    return "+" if answer.status_code in MAY else str(answer.status_code)


async def test_everybody_is_answered_as_the_table_says(whole: Street) -> None:
    wrong = [
        f"{one.row.service} {one.row.method} {one.row.path} as {one.caller} on {one.kind}: "
        f"{got}, not {one.expected}"
        for one in tries()
        if (got := await answered(whole, one)) != one.expected
    ]
    assert wrong == []
    assert len(tries()) > 2_500


OWN_DOORS = {"/v1/contact-requests", "/v1/contact-requests/{request}/ruling"}


async def test_a_custodian_opens_no_other_door(whole: Street) -> None:
    """Who lets others read a confidential contact reads none, and nothing of any ticket."""
    opened = set()
    for row in rows():
        one = Try(row, row.kinds[0], "custodian", "403")
        public = row.answers["nobody"] == "+" or row.path == "/v1/codes/{table}"
        if not public and await answered(whole, one) != "403":
            opened.add(row.path)
    assert opened == OWN_DOORS
