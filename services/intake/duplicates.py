"""重复诉求: which tickets may be about the same matter, for the agent who decides (R-09, GB66-5).

First the same person's, then those of the same topic and area. What is shown is the working copy, of
tickets that are not confidential; nobody's identity is in it, and no confidential ticket is linked to a
person by it. Registration refuses nothing by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, Field
from sqlmodel import col, or_, select

from services.intake import callers, readlog, vault, views
from services.intake.models import Ticket, Tickets
from services.intake.records import ServiceAct, TicketRecord, matters_of, read
from services.intake.rules import likeness, machine
from services.intake.rules.likeness import Seen
from services.intake.rules.machine import TicketStatus
from services.intake.rules.merging import can_be_merged
from services.intake.rules.phones import read_phone
from services.intake.schemas import AsGiven, Code, Content, Phrase, Title
from shared import clock
from shared.errors import NotFound
from shared.events import Location
from shared.http.auth import acting
from shared.http.fields import NUMBERS, Body, Number, Sentence
from shared.http.problems import problems
from shared.http.router import Router
from shared.storage.rows import one_of

LOOKED_AT = 300  # tickets compared, the newest; each takes a tenth of a millisecond
SHOWN = 20
ASKED = "查重 duplicates asked for"

router = Router("/v1", tags=["intake 受理"])
FrontAct = Annotated[ServiceAct, Depends(acting("phone_system", "agent", "desk"), scope="function")]
Why = Literal["same_person", "same_topic_and_area", "near", "like_words"]


class Draft(Body):
    """What is known of a demand before it is registered; ``phone`` as it came."""

    topic: Code
    area: Code
    title: Title = Field(default="", repr=False)
    content: Content = Field(repr=False)
    address: Phrase | None = Field(default=None, repr=False)
    location: Annotated[Location | None, NUMBERS] = Field(default=None, repr=False)
    phone: AsGiven = Field(default=None, repr=False)
    confidential: bool = False


class Candidate(BaseModel):
    """A ticket that may be about the same matter, and ``why``. ``distance_m``: where both have a
    location; ``likeness``: of the words, 0 to 1; ``mergeable``: somebody is at work on it.
    """

    number: str
    title: str
    content: str
    topic: str
    area: str
    address: str | None
    location: Location | None
    registered_at: AwareDatetime
    status: TicketStatus
    sentence: Sentence
    merged_into: str | None
    why: list[Why]
    same_person: bool
    distance_m: int | None
    likeness: float
    mergeable: bool


class Candidates(BaseModel):
    """Tickets that may be about the same matter, the likeliest first.

    ``same_person``: the same caller reported this matter before. Without a new fact or reason, tell the
    progress of that ticket and add what is said to it, instead of a new order (R-09).
    """

    same_person: bool
    items: list[Candidate]


@router.post("/tickets/duplicates")
async def find_duplicates(body: Draft, act: FrontAct) -> Candidates:
    """查重 Tickets that may be about the same matter as a demand that is not registered yet."""
    phones = read_phone(body.phone, act.config.place.area_code).numbers
    codes = act.config.codes
    called = {
        "topic": codes.topic_names.code(body.topic, "topic"),
        "area": codes.area_names.code(body.area, "area"),
    }
    found = await _candidates(act, body.model_copy(update=called), phones, act.now, set())
    await _log(act, body, phones, found)
    return found


@router.get("/tickets/{number}/duplicates", responses=problems(404))
async def list_duplicates(number: Number, act: FrontAct) -> Candidates:
    """疑似重复 Tickets that may be about the same matter as a registered one."""
    record = await read(act, number)
    if record is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    ticket, person = record.ticket, await vault.known_person(act, record.ticket)
    draft = Draft.model_construct(
        **ticket.model_dump(include={"topic", "area", "title", "content", "address"}),
        location=views.location_of(ticket),
        confidential=ticket.confidential,
    )
    phones = person.phones if person else ()
    of_call = {each.number for each in await matters_of(act, ticket)}
    found = await _candidates(act, draft, phones, ticket.registered_at, of_call)
    await _log(act, draft, phones, found)
    return found


async def _log(act: ServiceAct, draft: Draft, phones: Sequence[str], found: Candidates) -> None:
    """By a number it is a look at whose tickets they are (R-36)."""
    if phones and not draft.confidential:
        theirs = [each.number for each in found.items if each.same_person]
        await readlog.log_lookup(act, theirs, ASKED)


# --- who, where, when, in what words -----------------------------------------------------------


async def _candidates(
    act: ServiceAct, draft: Draft, phones: Sequence[str], at: datetime, own: set[str]
) -> Candidates:
    rules = act.config.duplicates
    of_person = set() if draft.confidential else await callers.plain_tickets(act, phones, LOOKED_AT)
    window = col(Tickets.registered_at).between(at - rules.window, at + rules.window)
    kind = (col(Tickets.topic) == draft.topic) & (col(Tickets.area) == draft.area)
    query = (
        select(Tickets)
        .where(window, ~col(Tickets.confidential), ~one_of(Tickets.number, own))
        .where(or_(kind, one_of(Tickets.number, of_person)))
        .order_by(col(Tickets.number).desc())
        .limit(LOOKED_AT)
    )
    said, place = f"{draft.title} {draft.content}", draft.location
    found: list[tuple[bool, Seen, Ticket]] = []
    for ticket in (await act.session.exec(query)).all():
        await clock.breathe()
        seen = Seen(
            same_person=ticket.number in of_person,
            same_kind=(ticket.topic, ticket.area) == (draft.topic, draft.area),
            distance_m=likeness.distance_m(place, views.location_of(ticket)),
            likeness=likeness.likeness(said, f"{ticket.title} {ticket.content}"),
        )
        if likeness.is_candidate(seen, rules):
            found.append((likeness.repeats(seen, rules), seen, ticket))
    found.sort(key=lambda each: (each[0], each[1].likeness, each[2].number), reverse=True)
    shown = [_shown(seen, ticket, rules) for _, seen, ticket in found[:SHOWN]]
    return Candidates(same_person=any(repeats for repeats, _, _ in found), items=shown)


def _shown(seen: Seen, ticket: Ticket, rules: likeness.Duplicates) -> Candidate:
    status = TicketRecord(ticket).status
    near = seen.distance_m is not None and seen.distance_m <= rules.radius_m
    why: dict[Why, bool] = {
        "same_person": seen.same_person,
        "same_topic_and_area": seen.same_kind,
        "near": near,
        "like_words": seen.likeness >= rules.likeness,
    }
    sentence = machine.SENTENCES[status]
    return Candidate(
        **ticket.model_dump(
            include={"number", "title", "content", "topic", "area", "address", "registered_at"}
        ),
        location=views.location_of(ticket),
        status=status,
        sentence=Sentence(zh=sentence.zh, en=sentence.en),
        merged_into=ticket.work if ticket.work != ticket.number else None,
        why=[reason for reason, holds in why.items() if holds],
        same_person=seen.same_person,
        distance_m=None if seen.distance_m is None else round(seen.distance_m),
        likeness=round(seen.likeness, 3),
        mergeable=can_be_merged(status),
    )
