"""来源编号: the number an upstream system gave a complaint, and which ticket holds it (ADR 0040).

It is the upstream's own and never judged by its looks. Where something of a person could be read in
it, a stand-in is kept and told; what was sent lies in the vault. A row holds one or the other, so
both are looked for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import text

from services.intake.claims import Receipt, Registration, receipt_of
from services.intake.records import ServiceAct
from services.intake.rules import identity
from services.intake.rules.machine import TicketStatus, ended
from services.intake.sealing import SealBroken
from services.intake.settings import Config
from shared.errors import JiesuError, UnknownCode
from shared.labels import label
from shared.observability import log, place

Source = tuple[str, str]  # a channel, and a number as it was sent
Words = tuple[str | None, str]  # title and content, as they were said


class SourceNumberTaken(JiesuError):
    """Another complaint stands under this channel and source number: of another caller, with another
    title or content, or one that has ended. What was sent now is not registered.
    """

    status = 409
    slug = "source-number-taken"
    title = "来源编号已用于另一诉求 The source number stands for another complaint"


@dataclass(frozen=True, slots=True)
class Holder:
    """The complaint that holds a source number: its receipt, who handed it in, and its title and
    content as they were said, None when nobody can read them any more.
    """

    receipt: Receipt
    actor: str | None
    words: Words | None
    status: TicketStatus = TicketStatus.RECEIVED

    @classmethod
    def of(cls, item: Registration, receipt: Receipt) -> Holder:
        """Of a complaint that is registered now."""
        return cls(replace(receipt, created=False), item.caller.actor, _words(item))

    def answer(self, item: Registration) -> Receipt | SourceNumberTaken:
        """A repeat gets the receipt: the same caller with the same words, whatever else changed. When the
        ticket has ended it may be 退回重办, which nobody may take for a repeat and drop.
        """
        if item.caller.actor != self.actor:
            return SourceNumberTaken(
                "此来源编号已由其他调用方登记，本诉求未登记：请换编号，或不填编号 "
                "another caller registered under this source number; this complaint is NOT registered: "
                "send it with another number, or with none",
                field="source_number",
            )
        if ended(self.status):
            return self._has_ended()
        if _words(item) != self.words:
            number = self.receipt.number
            return SourceNumberTaken(
                f"此来源编号已登记为 {number}，标题或内容不同，本诉求未登记：请用补充，另一件事请换编号 "
                f"this source number is ticket {number}, of other words; this complaint is NOT "
                "registered: add to that ticket, or send it with another number",
                field="source_number",
                number=number,
            )
        return self.receipt

    def _has_ended(self) -> SourceNumberTaken:
        number = self.receipt.number
        return SourceNumberTaken(
            f"此来源编号的工单 {number} 已结束（{label(self.status)}），本次来件未登记：退回重办请先以"
            f"补充登记新的内容，再调用 POST /v1/tickets/{number}/reopening（by=upstream）；另一件事请换编号 "
            f"ticket {number} of this source number has ended ({self.status}); this is NOT registered: to "
            "return it, add the new text as a supplement, then POST its reopening with by=upstream at "
            "feedback; another matter needs another number",
            field="source_number",
            number=number,
            current_status=self.status.value,
            allowed=["supplement_ticket", "reopen_ticket"],
        )


def source_of(item: Registration) -> Source | None:
    """What a complaint is called upstream, None when it has no number there."""
    number = item.body.source_number
    return (item.body.channel, number) if number else None


def told_as(item: Registration, person: identity.Person, config: Config) -> str | None:
    """The source number as rows, facts and lists have it: as it was sent, unless the masks find
    somebody in it; the caller's own phone, too, behind other digits.
    """
    sent = item.body.source_number
    if sent is None or identity.mask_note(sent, person) == unicodedata.normalize("NFC", sent):
        return sent
    return config.digester.stand_in(sent)


# The actor is taken from the fact log: no release before kept it in the row.
HOLDERS = text("""
    SELECT t.channel, t.source_number, t.number, t.id, t.code_nonce, t.registered_at, t.status, v.sealed,
        (SELECT o.body::json->>'actor' FROM fact_log o
            WHERE o.subject = t.number AND o.key = 'ticket.registered' ORDER BY o.id LIMIT 1) AS actor
    FROM ticket t
    JOIN unnest(CAST(:channels AS text[]), CAST(:sources AS text[])) AS s (channel, source)
        ON s.channel = t.channel AND s.source = t.source_number
    LEFT JOIN vault v ON v.number = t.number""")


async def holders_of(act: ServiceAct, items: Iterable[Registration]) -> dict[Source, Holder]:
    """Who holds the source numbers of complaints, as far as anybody does."""
    forms = {
        source: (source, (source[0], act.config.digester.stand_in(source[1])))
        for source in map(source_of, items)
        if source
    }
    if not forms:
        return {}
    asked = {form for both in forms.values() for form in both}
    values = {"channels": [c for c, _ in asked], "sources": [n for _, n in asked]}
    rows = {
        (row.channel, row.source_number): row
        for row in await (await act.session.connection()).execute(HOLDERS, values)
    }
    found = {source: rows.get(plain) or rows.get(other) for source, (plain, other) in forms.items()}
    return {source: _holder(act, row) for source, row in found.items() if row}


def _holder(act: ServiceAct, row: Any) -> Holder:
    return Holder(receipt_of(row), row.actor, _sealed_words(act, row), TicketStatus(row.status))


def _sealed_words(act: ServiceAct, row: Any) -> Words | None:
    if row.sealed is None:
        return None
    try:
        known = orjson.loads(act.config.sealer.unseal(row.sealed, row.number))
    except SealBroken as error:
        # Who sends it again is told that the words differ; nobody else's complaint is lost with it.
        log.error("the vault cannot be read", ticket=row.number, why=place(error))
        return None
    return known["title"], known["content"]


def _words(item: Registration) -> Words:
    return item.body.title, item.body.content


# --- the ticket it follows ---------------------------------------------------------------------

FOLLOWED = text("SELECT number FROM ticket WHERE number = ANY(CAST(:numbers AS text[]))")


async def unknown_follows(
    act: ServiceAct, items: Sequence[Registration], places: Iterable[int]
) -> dict[int, UnknownCode]:
    """Which complaints name a ticket to follow that does not exist, by their place."""
    named = {at: str(items[at].body.follows) for at in places if items[at].body.follows}
    if not named:
        return {}
    values = {"numbers": sorted(set(named.values()))}
    found = set((await (await act.session.connection()).execute(FOLLOWED, values)).scalars())
    return {
        at: UnknownCode(number, field="follows")
        for at, number in named.items()
        if number not in found
    }
