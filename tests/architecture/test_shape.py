"""Who knows one service knows all: the same files everywhere, and nothing grows out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.empty_service import FILES
from tests.fixtures.source import (
    PROJECT,
    files,
    functions,
    text,
    tree,
)

EVERYWHERE = {
    "__init__", "main", "routes", "consumers", "jobs", "usecases", "rules", "records", "views",
    "models", "schemas", "settings", "stuck", "migrations",
}  # fmt: skip
# What a service has beside the common files, and why it could not stand in one of them: files, and
# folders of a matter, in which files bear the common names again (ADR 0060).
MAY_HAVE = {
    "intake/claims": "which complaints of a group are repeats: the keys of many, in one statement",
    "intake/sources": "which ticket holds an upstream number, and when a complaint is its repeat",
    "intake/registration": "the group that shares one commit is a use case of its own",
    "intake/corrections": "what is put right, on record and sealed: rows no other act writes",
    "intake/vault": "whatever opens, erases or seals an identity stands in one place",
    "intake/sealing": "seals, and the suites they are made with",
    "intake/digests": "what a citizen is looked up by, and the codes they are given",
    "intake/endings": "what the hotline does itself with a ticket, at registration or later",
    "intake/endings/malicious": "marks of malicious use, and how many a caller has",
    "intake/duplicates": "which tickets may be about the same matter: doors of its own",
    "intake/merging": "several citizens and one matter: a door of its own",
    "intake/splitting": "one call, several matters: rows and seals of all of them at once",
    "dispatcher/splitting": "what a split means for orders, and whom the desk named at it",
    "feedback/splitting": "what a split means for who called",
    "intake/calls": "calls of the exchange are no tickets: who rings, what is noted, whom to ring back",
    "intake/contacts": "the doors to who called; they ask the neighbours before a transaction",
    "intake/callers": "which tickets are one caller's: the blind index and who may ask it",
    "intake/search": "what lists are narrowed to, and the words tickets are found by",
    "intake/codes": "the code tables as vendors read them",
    "intake/contacts/neighbours": "asking dispatcher and feedback who has to do with a ticket now",
    "intake/contacts/rights": "reading a contact, and a custodian's leave to do so",
    "intake/readlog": "the chain of what was done to contacts: written, checked, anchored",
    "dispatcher/duty_routes": "who handles a ticket now, as intake asks it",
    "dispatcher/worklists": "what is to be done next, by when: the desk's lists and each unit's",
    "dispatcher/worklists/clocks": "when what waits is due, as the tracker says it",
    "dispatcher/worklists/putting_off": "what is decided by silence waits as long as the tracker's clock",
    "dispatcher/worklists/lists": "what is to be done next: the desk's lists, and each unit's",
    "dispatcher/worklists/worklist": "how much of each list waits for one role, by what the lists stand on",
    "dispatcher/worklists/dues": "when what waits is due, as queries beside its rows",
    "dispatcher/worklists/order_pages": "pages of orders, for two lists of the desk's",
    "dispatcher/worklists/presses": "silent co-handlers the desk is asked to see to",
    "dispatcher/worklists/narrowing": "what lists are narrowed to, and where their pages end",
    "tracker/claims": "clocks of many tickets at once, as the sweep takes them",
    "tracker/extensions": "an extension is asked, ruled on, and ends with its ground",
    "feedback/extensions": "new dates a citizen is told of, while their round is open",
    "tracker/lists": "what a supervisor has to rule on and to press next",
    "tracker/answers": "what units answer to supervisions, and which of them stand",
    "tracker/worklist": "how much of each list waits for one role, by what the lists stand on",
    "tracker/policies": "the policy as versions: drafted, simulated, published, in force",
    "tracker/policies/versions": "which version a clock begins under; facts, doors and time ask it",
    "tracker/policies/drafts": "writing drafts and publishing them, for usecases.py is full",
    "tracker/policies/simulating": "past clocks under a draft: rows are read and none is changed",
    "tracker/promises": "days that units promise: kept, moved, looked after, and their list",
    "tracker/revisions": "clocks that ended, judged anew by two persons: doors and a job of its own",
    "tracker/citizen_waits": "what a wait for the citizen is to clocks",
    "tracker/beside": "what is kept beside how a clock stands, for clocks move in clockwork.py and there",
    "tracker/other_due": "until when a citizen waits is told, where a law or a platform changed that",
    "tracker/judging": "how figures read a judgement, first or revised",
    "tracker/standing": "which rungs stand of an order, for who is about to raise one",
    "tracker/raising": "supervisions no clock raises, for whoever raises them",
    "tracker/triggers": "what raises them beside people: facts, silence, a leader's word",
    "tracker/telling": "whom the policy names is told, of facts the tracker said itself",
    "tracker/risks": "dangers: told to the government at once, taken up by it, and their list",
    "tracker/referrals": "conduct for the discipline body: proposed by one, granted by another",
    "tracker/discrepancies": "what on record does not fit together, and what people make of it",
    "tracker/list_routes": "the doors of these lists",
    "tracker/list_schemas": "what these lists answer",
    "feedback/names": "asking intake to take names out of what was said, before a transaction",
    "feedback/due_routes": "whether a citizen is to be called now, as intake asks it",
    "intake/worklists": "how much waits at the front, by what its lists stand on",
    "intake/shares": "how much of intake one caller may take",
    "intake/locating": "the area of a complaint that says none, once, before it is anybody else's",
    "intake/naming": "names to codes, once, before a complaint is anybody else's",
    "dispatcher/handling": "who works on a ticket is changed, and who stays keeps what stands",
    "dispatcher/handling/handing_down": "a unit and those below it: who answers to whom",
    "dispatcher/handling/contacting": "contacts with the citizen, on record at each order they are for",
    "dispatcher/handling/handlers": "which person of a unit has an order, and that another has it now",
    "dispatcher/handling/hurrying": "units go on under other limits, for orders.py is full",
    "dispatcher/handling/legal_limits": "the law that gives a ticket a longer limit, named by the desk",
    "dispatcher/waits": "a lead waits for its citizen: asked for, granted, over, and a list of the desk's",
    "dispatcher/whistles": "a town whistles and units come: what each says of it, and its figures",
    "dispatcher/completion": "the form of R-21, requests to end a matter, and the audit of answers",
    "dispatcher/completion/completing": "the form, and requests to end a matter: ruled on like returns",
    "dispatcher/completion/auditing": "answers are checked and looked at before a citizen is called",
    "tracker/audits": "what an answer, and its audit, are to clocks",
    "dispatcher/doors": "the doors of acts on orders, by whose acts they are",
    "dispatcher/reading": "what who reads an order may do with it now",
    "dispatcher/past_returns": "what was asked and ruled of tickets before, for who decides and who reads",
    "intake/reading": "what who reads a ticket may do with it now",
    "intake/doors": "the doors of acts on tickets, by whose acts they are",
    "dispatcher/handle_dues": "by when orders are to be handled, as the tracker says: doors and readers ask",
    "dispatcher/doubts": "what the desk is asked to see to of tickets at work, for orders.py is full",
    "dispatcher/answering": "a lead's answer is the ticket's, for orders.py is full",
    "dispatcher/handling/co_handling": "who works on a ticket is changed, and who stays keeps what stands",
    "dispatcher/suggestions": "what the model of suggestions says of a ticket, and learns from",
    "dispatcher/suggestion_routes": "the desk's door to that",
    "dispatcher/catalogue": "the catalogue as versions: drafted, tried, published, in force, explained",
    "dispatcher/catalogue/catalogues": "which version of the catalogue decides; facts, doors and time ask it",
    "dispatcher/catalogue/drafts": "writing drafts and publishing them, for usecases.py is full",
    "dispatcher/catalogue/explanations": "why a ticket went where it is, under the catalogue of then",
    "dispatcher/grassroots": "what towns lead, are kept from and get on approval; counted apart",
    "dispatcher/approvals": "what one person asks for and another decides: a list and doors of its own",
    "dispatcher/figures": "how well the right unit is found, and what towns bear",
    "dispatcher/alarms": "a danger reported later, which supplements, urges and verdicts lead to",
    "dispatcher/reform": "units merged, renamed and split, and what they had that goes on",
    "dispatcher/reform/reforming": "units merged, renamed and split: two persons decide it",
    "dispatcher/reform/following": "who follows a unit that is no more, for what is dispatched today",
    "dispatcher/reform/transferring": "what a unit had that is no more goes on with who follows it",
    "tracker/transfers": "what that is to clocks",
    "dispatcher/figures/rates": "how well the right unit is found, counted from orders",
    "dispatcher/feed": "the units' feed: numbered, read, streamed",
    "dispatcher/corrections": "what a correction means for orders: it ends and gives them",
    "dispatcher/orders": "facts, units and the desk end in it: a unit is given, or freed of, a ticket",
    "tracker/corrections": "what a correction means for clocks",
    "dispatcher/printed_limits": "by which policy a unit's order is printed, for orders.py is full",
    "dispatcher/merging": "several tickets worked on as one, which facts, acts and time lead to",
    "tracker/returns": "what a return is to clocks",
    "dispatcher/returning": "returns asked, ruled on and overruled, which units, desk and time lead to",
    "dispatcher/arbitration": "disputes that go up the ladder, which units, desk and time lead to",
    "dispatcher/arbitration/rulings": "opened by hand, and ruled on: it ends in all that moves orders",
    "dispatcher/arbitration/overruling": "what was ruled and the desk does otherwise, with its reason",
    "dispatcher/arbitration/precedents": "what was ruled on whose duty a matter is, kept and found again",
    "tracker/arbitration": "what a dispute before the ladder is to clocks",
    "tracker/carrying": "what units had of a matter under other numbers, for merging and splitting",
    "tracker/merging": "what merging is to clocks, and many reporters of one matter",
    "tracker/calendars": "which calendars were known when: facts, doors and time ask it",
    "tracker/replaying": "a ticket's clocks from its facts alone: the command's, no door's",
    "tracker/clockwork": "both doors that move clocks, facts and time, end in it",
    "feedback/corrections": "what a correction means for callbacks: it ends and plans them",
    "feedback/attempts": "when the citizen is called: planned by facts, outcomes and corrections",
    "feedback/promises": "what is heard of promised days, which outlive the close",
    "feedback/verdicts": "what a citizen says without being called, and what upstream returns",
    "feedback/endings": "what the hotline ends itself, for usecases.py is full",
    "feedback/calls": "asking the phone system, by the clock",
    "feedback/webhook": "what the phone system is sent, as one model for code and contract",
    "feedback/phone": "the webhook to the phone system",
    "feedback/figures": "satisfaction, counted from raw outcomes",
    "tracker/figures": "on-time rates of a period, and the breaches that stand",
}
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc", "base", "core", "lib"}
MAIN_LINES = 30
FILE_LINES = 400
FUNCTION_LINES = 40
PRODUCT = files("shared", "services", "operations", "examples")
CODE = [path for path in (*PRODUCT, *files("tests")) if "migrations" not in path.parts]


@pytest.mark.parametrize("service", NAMES)
def test_every_service_has_the_same_files(service: str) -> None:
    folder = PROJECT / "services" / service
    found = {entry.stem for entry in folder.iterdir() if entry.name != "__pycache__"}
    assert {name for name in found if f"{service}/{name}" not in MAY_HAVE} == EVERYWHERE


def test_a_folder_of_a_matter_has_them_too() -> None:
    places = (path.with_suffix("").parts[1:] for path in files(*(f"services/{n}" for n in NAMES)))
    inside = {
        place for place in places if len(place) == 3 and place[1] not in {"rules", "migrations"}
    }
    odd = {"/".join(place) for place in inside if place[2] not in EVERYWHERE}
    assert odd - MAY_HAVE.keys() == set()


def test_what_a_service_may_have_is_there() -> None:
    there = {"/".join(path.with_suffix("").parts[1:]) for path in files("services")}
    there |= {place.rpartition("/")[0] for place in there}
    assert MAY_HAVE.keys() - there == set()


def test_an_empty_service_has_them_too() -> None:
    assert {Path(place).parts[0].removesuffix(".py") for place in FILES} == EVERYWHERE


@pytest.mark.parametrize("service", NAMES)
def test_main_fits_on_a_screen(service: str) -> None:
    assert len(text(Path(f"services/{service}/main.py")).splitlines()) <= MAIN_LINES


def test_shared_is_one_folder_deep() -> None:
    assert {len(path.parts) for path in files("shared")} == {2, 3}


def test_files_stay_readable() -> None:
    lines = {str(path): len(text(path).splitlines()) for path in CODE}
    assert {path: count for path, count in lines.items() if count > FILE_LINES} == {}


def test_functions_stay_readable() -> None:
    lines = {
        f"{path}:{function.lineno} {function.name}": (function.end_lineno or 0)
        - function.lineno
        + 1
        for path in CODE
        for function in functions(tree(path))
    }
    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES} == {}


def test_files_are_named_for_what_they_are_for() -> None:
    nameless = [path for path in CODE if NAMELESS & {*path.parent.parts, path.stem}]
    assert nameless == []
