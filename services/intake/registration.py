"""受理: registering complaints, the fast path. One use case serves one, a batch and a group.

A repeated Idempotency-Key, or a repeated (channel, source number), gets the first ticket and takes no
number. All statements work on whole groups; what could refuse one complaint is checked before the
group forms, but for a source number that is held, and conflicts are answered by ON CONFLICT: no
savepoint (docs/how-it-flows.md#fast).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
import uuid6
from sqlalchemy import text

from services.intake import search
from services.intake.calls.records import tie
from services.intake.claims import Receipt, Registration, RegistrationClaims
from services.intake.endings import records as end_records
from services.intake.models import CallerDigest, Ticket, Vault
from services.intake.records import ServiceAct
from services.intake.rules import identity, upstream
from services.intake.rules.endings import End
from services.intake.rules.identity import WorkingCopy
from services.intake.rules.machine import TicketStatus
from services.intake.rules.numbers import compose_number
from services.intake.rules.reported import check_reported, working_reported
from services.intake.rules.titles import title_of
from services.intake.schemas import Citizen, NewTicket, RegistrationWarning
from services.intake.settings import Config
from services.intake.sources import (
    Holder,
    Source,
    SourceNumberTaken,
    holders_of,
    source_of,
    told_as,
    unknown_follows,
)
from shared import clock
from shared.errors import JiesuError, UnknownCode
from shared.events import Reported, TicketRegistered
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.wording import text_of
from shared.observability import trace
from shared.security.masking import pattern_spans
from shared.storage.rows import as_json, inserting, table_of


def check_codes(body: NewTicket, config: Config, limits: LimitTable) -> None:
    """Refuse codes the jurisdiction does not have, and a moment of an upstream platform that cannot be one by
    the ``limits`` in force, before anything is stored. Raises UnknownCode, UpstreamDueWrong.
    """
    check_known(config, body.area or "", body.topic, body.flags)
    if config.codes.channel(body.channel) is None:
        channels = [channel.code for channel in config.codes.channels]
        raise UnknownCode(body.channel, field="channel", allowed=channels)
    check_reported(stated(body), body.reported_unit, config.units)
    if due := body.upstream_due:
        source = body.source_number and body.channel
        upstream.check(due, source, limits.upstream, clock.now())
    if body.ending:
        end_records.end_of(config, body.ending, clock.now())


NOBODY_YET = Reported()
UNSTATED = NOBODY_YET.model_dump(mode="json")


def stated(body: NewTicket) -> Reported:
    """Whom a complaint says it is about."""
    return Reported(**body.reported.model_dump()) if body.reported else NOBODY_YET


def check_known(config: Config, area: str, topic: str, flags: Iterable[str]) -> None:
    """Refuse unknown codes, of a registration or a correction. Raises UnknownCode."""
    codes = config.codes
    if codes.area(area) is None:
        nearest = codes.nearest_areas(area)
        raise UnknownCode(area, field="area", nearest=nearest)
    if codes.topic(topic) is None:
        nearest = codes.nearest_topics(topic)
        raise UnknownCode(topic, field="topic", nearest=nearest)
    if unknown := set(flags).difference(codes.flags):
        raise UnknownCode(sorted(unknown), field="flags", allowed=codes.flags)


def warnings_of(
    item: Registration, telephones: frozenset[str], *, created: bool
) -> list[RegistrationWarning]:
    """What of a complaint is kept but could not be taken up, or was not done again."""
    found = [item.located.warning] if item.located.warning else []
    if item.phone.unreadable:
        detail = (
            "来电号码无法识别，已原样密封；本工单没有可回拨的电话 "
            "no telephone number could be read; it is sealed as it came, and nobody can be called back"
        )
        found.append(
            RegistrationWarning(field="caller.phone", code="phone-unreadable", detail=detail)
        )
    if item.body.call and item.call is None:
        detail = (
            "没有此通话，已照常登记，未取来电号码 "
            "there is no such call; the complaint is registered all the same, without its number"
        )
        found.append(RegistrationWarning(field="call", code="call-unknown", detail=detail))
    said = item.body.ending and item.body.ending.direct_answer
    if said and said.answer and list(pattern_spans(said.answer, telephones | said.confirmed)):
        detail = (
            "答复中像个人号码的内容已遮去；如系单位对外公开的电话，请在 public_numbers 中确认 "
            "what looks like a person's number was taken out of the answer; confirm an office's own in "
            "public_numbers"
        )
        field = "ending.direct_answer.answer"
        found.append(RegistrationWarning(field=field, code="number-masked", detail=detail))
    if item.body.ending and not created:
        detail = (
            "此前已登记，本次所填结束方式未生效：请查看工单现状 "
            "it was registered before and not ended again now: see how the ticket stands"
        )
        found.append(RegistrationWarning(field="ending", code="registered-before", detail=detail))
    return found


# --- the use case ------------------------------------------------------------------------------


async def register_many(
    act: ServiceAct, items: Sequence[Registration]
) -> list[Receipt | Exception]:
    """Register a group of checked complaints: one answer each, in order.

    Raises only what concerns the group as a whole; the caller then tries them one by one.
    """
    claims = RegistrationClaims(items, act.config)
    new = await claims.make(act)
    answers: dict[int, Receipt | JiesuError] = dict(await unknown_follows(act, items, new))
    sound = [at for at in new if at not in answers]
    receipts = await _insert(act, [items[at] for at in sound])
    answers.update(zip(sound, receipts, strict=True))
    await claims.keep(act, answers)
    return [claims.answer(at) for at in range(len(items))]


# --- rows --------------------------------------------------------------------------------------

NUMBERS = text("""
    INSERT INTO day_number AS d (day, last) VALUES (:day, :count)
    ON CONFLICT (day) DO UPDATE SET last = d.last + EXCLUDED.last
    RETURNING last, code_nonces""")

# Any other conflict is an error: a number that is given twice must not pass for a repeat.
TICKETS = inserting(
    table_of(Ticket),
    "ON CONFLICT (channel, source_number) WHERE source_number IS NOT NULL DO NOTHING "
    "RETURNING number",
)
LONG = 500  # characters: a shorter text is searched for words of danger in no time
OF_THEM = "WHERE number IN (SELECT number FROM stored)"
SEALED = inserting(table_of(Vault), OF_THEM, "sealed")
DIGESTS = inserting(table_of(CallerDigest), OF_THEM, "digests")
STORE = text(f"""
    WITH stored AS ({TICKETS}), sealed AS ({SEALED}), digests AS ({DIGESTS})
    SELECT number FROM stored""")


async def _insert(
    act: ServiceAct, items: Sequence[Registration]
) -> list[Receipt | SourceNumberTaken]:
    """Number and store complaints. One whose source number is held is none, and gets no number of
    the day; only who is overtaken by another replica has taken one in vain.
    """
    holders = await holders_of(act, items)
    firsts: dict[Source | None, int] = {}
    for at, item in enumerate(items):
        firsts.setdefault(source_of(item), at)
    new = [
        at
        for at, item in enumerate(items)
        if (source := source_of(item)) is None or (source not in holders and firsts[source] == at)
    ]
    receipts = dict(zip(new, await store(act, [items[at] for at in new]), strict=True))
    lost = [items[at] for at, receipt in receipts.items() if receipt is None]
    holders |= await holders_of(act, lost)
    answers: list[Receipt | SourceNumberTaken] = []
    for at, item in enumerate(items):
        source, receipt = source_of(item), receipts.get(at)
        if receipt and source:
            holders[source] = Holder.of(item, receipt)
        answers.append(receipt or holders[cast(Source, source)].answer(item))
    return answers


async def store(act: ServiceAct, items: Sequence[Registration]) -> list[Receipt | None]:
    """Number, store and tell complaints; None for one whose source number was taken meanwhile."""
    if not items:
        return []
    rows, copies, ends = [], {}, {}
    for item, (number, nonce) in zip(items, await _numbers(act, len(items)), strict=True):
        copies[number] = copy = copy_for(act.config, item)
        ends[number] = end = end_for(act, item)
        row = ticket_row(act, item, number, nonce, copy) | ending_columns(act, item, end)
        rows.append(row | {"split_from": item.split_from, "accepted_at": item.accepted_at})
        await clock.breathe()  # long texts take a millisecond each to search for names
    pairs = list(zip(items, rows, strict=True))
    values = {
        "rows": rows,
        "sealed": [
            vault_row(act.config, item, row["number"], copies[row["number"]]) for item, row in pairs
        ],
        "digests": [each for pair in pairs for each in digest_rows(act.config, *pair)],
    }
    given = {name: as_json(each) for name, each in values.items()}
    stored = set((await (await act.session.connection()).execute(STORE, given)).scalars())
    created = [pair for pair in pairs if pair[1]["number"] in stored]
    if made_of := {item.call: row["number"] for item, row in created if item.call}:
        await tie(act, made_of)
    kept = [row for _, row in created if row.get("ending") == TicketStatus.ANSWERING]
    if kept:
        await search.index(
            act, {row["number"]: f"{row['title']}\n{row['content']}" for row in kept}
        )
    for item, row in created:
        tell(act, item, row, copies[row["number"]], ends[row["number"]])
        if len(row["content"]) > LONG:
            await clock.breathe()  # and to search for words of danger
    return [
        Receipt(row["number"], row["id"], row["code_nonce"], act.now, created=True)
        if row["number"] in stored
        else None
        for row in rows
    ]


async def _numbers(act: ServiceAct, count: int) -> list[tuple[str, UUID | None]]:
    """The next numbers of today, each with a nonce for its code; a number is given once, gaps are
    allowed. No nonces on the day this release came: replicas of the one before do not know them.
    """
    today: date = act.now.astimezone(act.config.place.timezone).date()
    connection = await act.session.connection()
    given = (await connection.execute(NUMBERS, {"day": today, "count": count})).one()
    return [
        (compose_number(today, n), uuid4() if given.code_nonces else None)
        for n in range(given.last - count + 1, given.last + 1)
    ]


def copy_for(config: Config, item: Registration) -> WorkingCopy:
    """The words of a complaint that may travel, and what lies behind their numbered places."""
    body = item.body
    return identity.working_copy(
        body.title or "", body.content, body.address, item.person, config.public
    )


def end_for(act: ServiceAct, item: Registration) -> End | None:
    """How a call ended that becomes no order, in the words that may travel; None: it becomes one."""
    if (asked := item.body.ending) is None:
        return None
    return end_records.end_of(act.config, asked, act.now).masked(item.person, act.config.public)


NOTHING_YET = ("resolved_round", "closed_round", "extended_round", "answer_seq", "arbitration_seq")


def ticket_row(
    act: ServiceAct, item: Registration, number: str, nonce: UUID | None, copy: WorkingCopy
) -> dict[str, Any]:
    """The ticket as others may know it, under its number."""
    body, person, contact = item.body, item.person, item.phone.contact
    location = None if copy.at_home else body.location
    reported = working_reported(stated(body), body.reported_unit, person)
    return {
        "number": number,
        "id": UUID(bytes=uuid6.uuid7().bytes),
        "type": body.type.value,
        "urgency": body.urgency.value,
        "topic": body.topic,
        "title": copy.title or title_of(copy.content),
        "content": copy.content,
        "area": body.area,
        "address": copy.address,
        "longitude": location.longitude if location else None,
        "latitude": location.latitude if location else None,
        "channel": body.channel,
        "flags": list(body.flags),
        "source_number": told_as(item, person, act.config),
        "upstream_due": body.upstream_due,
        "reported_unit": next(iter(reported.units), None),
        "reported": reported.model_dump(mode="json") if reported.stated else UNSTATED,
        "follows": body.follows,
        "confidential": identity.is_confidential(body.type, body.confidential),
        "reply_declined": body.reply_declined,
        "has_contact": contact is not None,
        "code_nonce": nonce,
        "registered_at": act.now,
        "status": TicketStatus.RECEIVED.value,
        "urged": 0,
        "withdrawn": False,
        "reopened_round": 1,
        **dict.fromkeys(NOTHING_YET, 0),
    }


def ending_columns(act: ServiceAct, item: Registration, end: End | None) -> dict[str, Any]:
    """How the call ended, as far as the row of its ticket holds it."""
    if end is None:
        return {"ending_round": 0, "forwarded": True}
    direct = item.body.ending and item.body.ending.direct_answer
    return end_records.columns(act, end, 1) | {
        "forwarded": False,
        "call_rating": direct and direct.rating,
    }


def vault_row(config: Config, item: Registration, number: str, copy: WorkingCopy) -> dict[str, Any]:
    """The vault's row: who called, and all that was said as it was said, sealed to the number."""
    body, caller, phone = item.body, item.body.caller or Citizen(), item.phone
    identity = {
        "name": caller.name,
        "phone": phone.contact,
        "phones": phone.numbers,
        "phone_given": phone.given,
        "address": caller.address,
        "source_number": body.source_number,
        "title": body.title,
        "content": body.content,
        "matter_address": body.address,
        "matter_location": body.location and body.location.model_dump(),
        "matter": copy.matter,
        "reported": stated(body).words,
    }
    return {"number": number, "sealed": config.sealer.seal(orjson.dumps(identity), number)}


def digest_rows(config: Config, item: Registration, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """What the caller's tickets are found by: a row for every number given."""
    numbers, confidential = item.phone.numbers, ticket["confidential"]
    found = config.digester.caller_digests(numbers, confidential=confidential)
    return [{"digest": digest, "number": ticket["number"]} for digest in found]


def tell(
    act: ServiceAct, item: Registration, row: dict[str, Any], copy: WorkingCopy, end: End | None
) -> None:
    """Say that it was registered, or how it ended in the same call."""
    if end:
        with trace(item.trace, ticket=row["number"]):
            end_records.put_on_record(act, row, end, actor=item.caller.actor)
            end_records.say_rated(act, row, actor=item.caller.actor)
        return
    _tell_registered(act, item, row, copy)


def _tell_registered(
    act: ServiceAct, item: Registration, row: dict[str, Any], copy: WorkingCopy
) -> None:
    """Say that it was registered, under the caller's trace and in the caller's name. What the place
    counts as urgent overtakes, whatever the caller asked for.
    """
    place = identity.visible(row["confidential"], copy, item.body.location)
    fact = TicketRegistered(
        type=item.body.type,
        urgency=item.body.urgency,
        topic=row["topic"],
        title=row["title"],
        content=row["content"],
        area=row["area"],
        address=place.address,
        location=place.location,
        channel=row["channel"],
        flags=item.body.flags,
        source_number=row["source_number"],
        reported_unit=row["reported_unit"],
        reported=row["reported"],
        confidential=row["confidential"],
        reply_declined=row["reply_declined"],
        has_contact=row["has_contact"],
        split_from=item.split_from,
        taken_off=item.taken_off,
        accepted_at=item.accepted_at,
        appointed=item.appointed,
        upstream_due=item.body.upstream_due,
        configuration=act.configuration,
    )
    text = text_of(fact.title, fact.content)
    if act.config.urgency.found(fact.type, fact.topic, fact.flags, text):
        act.urgent.add(row["number"])
    with trace(item.trace, ticket=row["number"]):
        act.tell(fact, subject=row["number"], round=1, actor=item.caller.actor)
