"""An end of a call as rows and facts hold it, whether it comes with the registration or later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid6

from services.intake.models import EndingRecord
from services.intake.records import ServiceAct
from services.intake.rules import endings, machine
from services.intake.rules.endings import End
from services.intake.rules.machine import TicketStatus
from services.intake.schemas import Ending, HandedOver
from services.intake.settings import Config
from shared import policies
from shared.events import (
    CallRating,
    Data,
    TicketAnswered,
    TicketCallRated,
    TicketHandedOver,
    TicketNotAccepted,
)

ABOUT = (
    "type",
    "urgency",
    "topic",
    "area",
    "channel",
    "flags",
    "confidential",
    "reply_declined",
    "has_contact",
)


def end_of(config: Config, asked: Ending, now: datetime) -> End:
    """What was asked for, by the rules in force. Raises UnknownCode, Malformed."""
    if said := asked.direct_answer:
        return endings.answered(
            said.answer, callback_wanted=said.callback_wanted, own=said.confirmed
        )
    if refused := asked.not_accepted:
        return endings.not_accepted(config.endings, refused.reason, refused.note or "")
    assert asked.handed_over is not None  # the body is one of the three
    return over(config, asked.handed_over, now)


def over(config: Config, body: HandedOver, now: datetime) -> End:
    """即时转接, by the rules in force. Raises UnknownCode, Malformed."""
    return endings.handed_over(config.endings, body.line, body.taken_by, body.at, now)


def columns(act: ServiceAct, end: End, round: int) -> dict[str, Any]:
    """What a ticket's row holds of an end; ``end.words`` is the working copy already."""
    kept, within = end.status is TicketStatus.ANSWERING, policies.limits(act).direct_answer
    return {
        "ending": end.status.value,
        "ending_round": round,
        "ending_code": end.code,
        "ending_words": end.told,
        "answer_due": act.config.calendar.due(act.now, within).at if kept else None,
        "status": machine.stored(end.status).value,
        "closed_round": 0 if kept else round,
        "ended_at": None if kept else act.now,
    }


def put_on_record(
    act: ServiceAct, row: Mapping[str, Any], end: End, round: int = 1, *, actor: str | None = None
) -> None:
    """Keep an end that a ticket's row has, and say it; what is only kept is nobody else's yet."""
    who = actor or act.actor
    record = EndingRecord(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=row["number"],
        round=round,
        kind=end.status.value,
        code=end.code,
        words=end.words,
        taken_by=end.taken_by,
        taken_at=end.taken_at,
        recorded_at=act.now,
        recorded_by=who,
    )
    act.rows.add(record)
    if (data := _fact_of(row, end)) is not None:
        act.tell(data, subject=row["number"], round=round, actor=who)


def _fact_of(row: Mapping[str, Any], end: End) -> Data | None:
    about = {name: row[name] for name in ABOUT} | {"registered": row["forwarded"]}
    named = {"zh": end.zh, "en": end.en}
    match end.status:
        case TicketStatus.ANSWERED:
            return TicketAnswered.on_record(about | {"answer": end.words})
        case TicketStatus.NOT_ACCEPTED:
            said = {"reason_code": end.code, "note": end.words}
            return TicketNotAccepted.on_record(about | named | said)
        case TicketStatus.HANDED_OVER:
            over = {"line": end.code, "taken_at": end.taken_at}
            return TicketHandedOver.on_record(about | named | over)
        case _:
            return None


def say_rated(act: ServiceAct, row: Mapping[str, Any], *, actor: str | None = None) -> None:
    """Say what the caller said of the call, if that is known."""
    if rating := row.get("call_rating"):
        data = TicketCallRated(
            rating=CallRating(rating), direct=row["ending"] == TicketStatus.ANSWERED
        )
        act.tell(data, subject=row["number"], round=1, actor=actor)
