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
TABLE = """
#                                                  nob pho dsk agt sup cal ops ser fee hol str  kinds
intake POST /v1/tickets                            401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/batch                      401  +   +   +  403 403 403 403 403 403 403
intake GET /v1/tickets                             401  +   +   +   +   +  403  +   +  403 403
intake GET /v1/tickets/{number}                    401  +   +   +   +   +  403  +   +  403 403
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403  +  404  ordinary
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403  +  404  confidential
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403  +  404  against
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403 404 404  withdrawn
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403 404 404  resolved
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403 404 404  closed
intake POST /v1/tickets/{number}/supplements       401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/urges             401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/corrections       401  +   +   +  403 403 403 403 403 403 403
intake GET /v1/tickets/{number}/corrections        401 403  +  403  +  403 403 403 403 403 403
intake GET /v1/tickets/{number}/notes              401 403  +   +   +   +  403 403 403 403 403
intake POST /v1/tickets/{number}/notes/read        401 403  +  403 403  +  403 403 403 403 403
intake GET /v1/tickets/{number}/duplicates         401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/duplicates                 401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/merge             401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/unmerge           401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/direct-answer     401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/not-accepted      401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/handed-over       401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/dispatch          401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/call-rating       401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/malicious-use     401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/malicious-use/undo 401 403 + 403 403 403 403 403 403 403 403
intake GET /v1/tickets/{number}/front-record       401 403  +   +   +  403 403 403 403 403 403
intake POST /v1/tickets/{number}/withdrawal        401  +   +   +  403 403 403 403 403 403 403
intake GET /v1/tickets/{number}/progress            +   +   +   +   +   +   +   +   +   +   +
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404  +  404  ordinary
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404  +  404  confidential
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404  +  404  against
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404 404 404  withdrawn
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403  +  403 404  +  404 404  resolved
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404 404 404  closed
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403  +  404  ordinary
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403  +  404  confidential
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403  +  404  against
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403 404 404  withdrawn
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403 404 404  resolved
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403 404 404  closed
intake GET /v1/contact-requests                    401 403 403 403 403 403 403 403 403  +   +
intake POST /v1/contact-requests/{request}/ruling  401 403 403 403 403 403 403 403 403 403 403  confidential
intake GET /v1/codes/{table}                       401  +   +   +   +   +   +   +   +   +   +  ordinary
intake GET /v1/figures                             401 403  +   +   +  403 403  +   +  403 403
intake POST /v1/callers/lookup                     401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/calls                              401  +  403 403 403 403 403 403 403 403 403
intake GET /v1/calls/pop/{pop}                     401 403 403  +  403 403 403 403 403 403 403  ordinary
intake GET /v1/calls/{call}                        401 403  +   +  403 403 403 403 403 403 403  ordinary
intake PUT /v1/calls/{call}/draft                  401 403  +   +  403 403 403 403 403 403 403  ordinary
intake DELETE /v1/calls/{call}/draft               401 403  +   +  403 403 403 403 403 403 403  ordinary
intake PUT /v1/calls/{call}/transcript             401  +  403 403 403 403 403 403 403 403 403  ordinary
intake GET /v1/drafts                              401 403  +   +  403 403 403 403 403 403 403
intake GET /v1/missed-calls                        401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/missed-calls/{call}/contact-reads  401 403  +   +  403 403 403 403 403 403 403  ordinary
intake POST /v1/missed-calls/{call}/tries          401 403  +   +  403 403 403 403 403 403 403  ordinary
dispatcher POST /v1/assignments/{assignment}/sign  401 403 403 403 403 403 403 403 403  +  404
dispatcher POST /v1/assignments/{assignment}/contacts 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/progress 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/return-requests 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/return-withdrawal 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/completion 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/press 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/hand-down 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/handler 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/take-back 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/ruling 401 403 + 403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/assign        401 403  +  403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/recall        401 403  +  403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/co-handlers   401 403  +  403 403 403 403 403 403 403 403
dispatcher POST /v1/assignments/{assignment}/release 401 403 + 403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/arbitration   401 403  +  403  +  403 403 403 403 403 403
dispatcher POST /v1/arbitrations/{arbitration}/statements 401 403 403 403 403 403 403 403 403 404 404 ordinary
dispatcher POST /v1/arbitrations/{arbitration}/raise 401 403 404 403 404 403 403 403 403 403 403 ordinary
dispatcher POST /v1/arbitrations/{arbitration}/ruling 401 403 404 403 404 403 403 403 403 403 403 ordinary
dispatcher GET /v1/arbitrations                    401 403  +  403  +  403 403 403 403  +   +
dispatcher GET /v1/arbitrations/{arbitration}      401 403 404 403 404 403 403 403 403 404 404 ordinary
dispatcher GET /v1/precedents                      401 403  +  403  +  403 403 403 403  +   +
dispatcher GET /v1/tickets/{number}/precedents     401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/unassigned                      401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/returns                         401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/tickets/{number}/handling       401 403  +   +   +   +  403 403 403 403 403
dispatcher GET /v1/tickets/{number}/assignments    401 403  +  403  +  403 403 403 403  +  404
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 ordinary
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 confidential
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 against
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 404 404 withdrawn
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 resolved
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 closed
dispatcher GET /v1/tickets/{number}/suggestions    401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/tickets/{number}/duties/{code}  401 403 403 403 403 403 403 403 403 403 403
dispatcher GET /v1/units/{code}/assignments        401 403  +  403  +  403 403 403 403  +  404
dispatcher GET /v1/units/{code}/orders             401 403  +  403  +  403 403 403 403  +  404
dispatcher GET /v1/rates                           401 403  +  403  +  403 403  +   +   +   +
dispatcher GET /v1/units/{code}/feed               401 403  +  403  +  403 403 403 403  +  404
tracker GET /v1/tickets/{number}/clocks            401 403  +  403  +   +  403  +   +   +  404
tracker POST /v1/assignments/{assignment}/extensions 401 403 403 403 403 403 403 403 403 + 404
tracker POST /v1/assignments/{assignment}/supervisions 401 403 403 403 + 403 403 403 403 403 403
tracker POST /v1/extensions/{extension}/ruling     401 403 403 403  +  403 403 403 403 403 403
tracker GET /v1/rates                              401 403  +  403  +  403 403  +   +   +   +
tracker GET /v1/breaches                           401 403  +  403  +  403 403 403 403 403 403
tracker GET /v1/extensions                         401 403  +  403  +  403 403 403 403 403 403
tracker GET /v1/supervisions                       401 403  +  403  +  403 403 403 403 403 403
feedback GET /v1/callbacks                         401  +  403 403  +   +  403 403 403 403 403
feedback GET /v1/callbacks/due                     401  +  403 403  +   +  403 403 403 403 403
feedback GET /v1/callbacks/{callback}              401  +  403 403  +   +  403 403 403 403 403
feedback POST /v1/callbacks/{callback}/outcome     401  +  403 403 403  +  403 403 403 403 403
feedback POST /v1/tickets/{number}/verdict         401  +   +   +  403  +  403 403 403 403 403
feedback POST /v1/tickets/{number}/reopening       401  +   +   +  403  +  403 403 403 403 403
feedback GET /v1/tickets/{number}/call             401 403 403 403 403 403 403 403 403 403 403
feedback GET /v1/rates                             401 403  +  403  +   +  403  +   +  403 403
"""
EVERYWHERE = """
* GET /healthz                                      +   +   +   +   +   +   +   +   +   +   +
* GET /readyz                                       +   +   +   +   +   +   +   +   +   +   +
* GET /metrics                                     401 403 403 403 403 403  +   +   +  403 403
* GET /clock                                       401 403 403 403 403 403  +   +   +  403 403
* POST /clock                                      401 403 403 403 403 403  +  403 403 403 403
* GET /v1/facts                                    401 403 403 403 403 403  +   +   +  403 403
* GET /openapi.json                                 +   +   +   +   +   +   +   +   +   +   +
* GET /docs                                         +   +   +   +   +   +   +   +   +   +   +
* GET /errors/{slug}                                +   +   +   +   +   +   +   +   +   +   +  ordinary
* GET /docs/{version}/{name}                        +   +   +   +   +   +   +   +   +   +   +  ordinary
"""
SAID: dict[str, dict[str, Any]] = {  # by the last word of the path
    "tickets": complaint(),
    "batch": {"tickets": [complaint()]},
    "supplements": {"content": "补充"},
    "urges": {"note": "急"},
    "withdrawal": {"reason": "已自行解决"},
    "contact-reads": {"reason": "约上门"},
    "matter-reads": {"reason": "约上门"},
    "contact-requests": {"reason": "约上门"},
    "corrections": {"reason": "号码记错", "caller": {"phone": "13909150002"}},
    "read": {"done": "已电话答复"},
    "duplicates": {"topic": "water.supply", "area": "610924100", "content": "停水三天"},
    "merge": {"reason": "同一处停水"},  # into the ordinary one: see body_of
    "unmerge": {"reason": "并非同一处"},
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
    "press": {"unit": "GT", "note": "请尽快答复"},
    "hand-down": {"unit": "JJDD", "reason": "请到现场查看"},
    "handler": {"handler": "李四", "handler_account": "lisi", "reason": "轮班"},
    "take-back": {"unit": "JJDD", "reason": "由本单位办理"},
    "completion": DONE,
    "arbitration": {"grounds": "单位互相推诿"},
    "statements": {"words": "不属我单位职责"},
    "raise": {"grounds": "本级无法认定"},
    "ruling": {},  # four doors of that name: see body_of
    "assign": {"lead": HOLDER, "reason": "改派"},
    "recall": {"reason": "转由热线答复"},
    "extensions": EXTENSION,
    "supervisions": {"rung": 1, "reason": "催办"},
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
        yield one


def body_of(whole: Street, row: Row) -> dict[str, Any] | None:
    """What a caller posts there."""
    last = row.path.rpartition("/")[2]
    if row.method not in WITH_A_BODY:
        return None
    into = {"into": whole.matters["ordinary"].number} if last == "merge" else {}
    if row.path.endswith("{arbitration}/ruling"):
        return {"lead": HOLDER, "ruling": "由其承办"}
    return RULINGS[row.service] if last == "ruling" else SAID[last] | into


async def answered(whole: Street, one: Try) -> str:
    """What a caller is answered: +, or the status."""
    matter: Matter = whole.matters[one.kind]
    role, unit = {"holder": ("unit", HOLDER), "stranger": ("unit", STRANGER)}.get(
        one.caller, (one.caller, None)
    )
    names = {"number": matter.number, "assignment": matter.assignment, "code": HOLDER}
    names |= {"extension": matter.extension, "callback": matter.callback}
    names |= dict.fromkeys(("request", "arbitration"), matter.assignment)  # of these there is none
    names |= {"call": whole.call, "pop": whole.pop}
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
