"""来源编号: the number an upstream system gave a complaint, and which ticket holds it (ADR 0040).

It is the upstream's own and never judged by its looks. Where something of a person could be read in
it, a stand-in is kept and told; what was sent lies in the vault. A row holds one or the other, so
both are looked for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import text

from services.intake.claims import Receipt, Registration, receipt_of
from services.intake.records import ServiceAct
from services.intake.rules import identity
from services.intake.sealing import SealBroken
from services.intake.settings import Config
from shared.errors import JiesuError
from shared.observability import log, place

Source = tuple[str, str]  # a channel, and a number as it was sent
Words = tuple[str | None, str]  # title and content, as they were said


class SourceNumberTaken(JiesuError):
    """Another complaint stands under this channel and source number: of another caller, or with
    another title or content. What was sent now is not registered.
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

    @classmethod
    def of(cls, item: Registration, receipt: Receipt) -> Holder:
        """Of a complaint that is registered now."""
        return cls(replace(receipt, created=False), item.caller.actor, _words(item))

    def answer(self, item: Registration) -> Receipt | SourceNumberTaken:
        """A repeat gets the receipt: the same caller with the same words, whatever else changed."""
        if item.caller.actor != self.actor:
            return SourceNumberTaken(
                "此来源编号已由其他调用方登记，本诉求未登记：请换编号，或不填编号 "
                "another caller registered under this source number; this complaint is NOT registered: "
                "send it with another number, or with none",
                field="source_number",
            )
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
    SELECT t.channel, t.source_number, t.number, t.id, t.code_nonce, t.registered_at, v.sealed,
        (SELECT o.body::json->>'actor' FROM outbox o
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
    return Holder(receipt_of(row), row.actor, _sealed_words(act, row))


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
