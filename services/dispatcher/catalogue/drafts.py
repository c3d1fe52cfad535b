"""派单目录的起草、发布与撤回: drafts written through the doors, published by a second person (GB66-5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from services.dispatcher.catalogue import catalogues
from services.dispatcher.catalogue.models import Edition
from services.dispatcher.catalogue.schemas import (
    CatalogueReason,
    CheckOut,
    DraftContent,
    FindingOut,
    NewRule,
    WholeEdition,
)
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules import catalogue_text
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.checking import Finding, check, faults
from services.dispatcher.rules.dispatch import Decision
from services.dispatcher.settings import Written, line_of, read_catalogue
from shared import editions, events
from shared.caller import person
from shared.editions import DOOR, Ledger
from shared.errors import JiesuError, Malformed, UnknownCode
from shared.events import TicketRegistered
from shared.http.editions import EditionOut, Publication, shown
from shared.http.fields import Sentence
from shared.jurisdiction.reader import Fault

SHOWN = 200  # faults in a refusal
LONGEST_NOTE = 4_000  # characters, for a fact carries it


class NoCatalogue(Malformed):
    """The text is no catalogue; ``faults`` are all of them, each with its line."""

    slug = "no-catalogue"
    title = "不是有效的派单目录 The text is no catalogue"


class CatalogueRefused(JiesuError):
    """派单目录有错: the catalogue does not check; ``faults`` are all of them, each with rule and place."""

    status = 409
    slug = "catalogue-refused"
    title = "派单目录校核未通过，未发布 The catalogue does not check and was not published"


class RuleExists(JiesuError):
    """The draft has a rule of this id already."""

    status = 409
    slug = "rule-exists"
    title = "草稿中已有此编号的规则 The draft has a rule of this id already"


# --- writing -----------------------------------------------------------------------------------


async def make(act: ServiceAct, _: None, body: DraftContent) -> EditionOut:
    """起草: a new draft on top of the latest version. Raises NoCatalogue, NotFound."""
    await catalogues.in_force(act)  # the county's file comes first
    ledger = await catalogues.ledger(act)
    said = await _said(act, ledger, body)
    row = catalogues.draft(act, said, DOOR, act.actor, body.note)
    return edition_out(act, ledger, row)


async def rewrite(act: ServiceAct, id: UUID, body: DraftContent) -> EditionOut:
    """改写: another content for a draft, on top of what is the latest version now. Raises NotFound,
    MoveRefused, NoCatalogue.
    """
    ledger, row = await _open_draft(act, id)
    said = await _said(act, ledger, body)
    row.based_on = ledger.latest.version if ledger.latest else None
    row.note = body.note
    _write(act, row, said)
    return edition_out(act, ledger, row)


async def add_rule(act: ServiceAct, id: UUID, body: NewRule) -> EditionOut:
    """增加一条规则 to a draft. Raises NotFound, MoveRefused, RuleExists, UnknownCode."""
    ledger, row = await _open_draft(act, id)
    said = await catalogues.written(act, row.digest)
    _write(act, row, plus(said, body.rule, body.before))
    _note(row, body.note)
    return edition_out(act, ledger, row)


async def propose(
    act: ServiceAct, rule: Rule, note: str, matter: TicketRegistered, before: str | None = None
) -> EditionOut:
    """A draft of the latest version with one rule more, before the one named, or else before the one that
    decides a matter: what a ruling becomes in one call. Raises RuleExists, UnknownCode.
    """
    await catalogues.in_force(act)
    ledger = await catalogues.ledger(act)
    if ledger.latest is None:
        raise AssertionError("no catalogue is in force")
    digest = ledger.latest.digest
    if before is None:
        decided = (await catalogues.compiled(act, None, digest)).decide(matter, act.now)
        before = decided.rule if isinstance(decided, Decision) else None
    said = plus(await catalogues.written(act, digest), rule, before)
    row = catalogues.draft(act, said, DOOR, act.actor, note)
    return edition_out(act, ledger, row)


def plus(said: Written, rule: Rule, before: str | None = None) -> Written:
    """A catalogue with one rule more, before the one of an id or as the last; all else of its text stays.

    Raises RuleExists, UnknownCode.
    """
    ids = [each.id for each in said.rules]
    if rule.id in ids:
        raise RuleExists(field="rule.id")
    if before is not None and before not in ids:
        raise UnknownCode(before, field="before", allowed=ids[:SHOWN])
    at = len(ids) if before is None else ids.index(before)
    rules = (*said.rules[:at], rule, *said.rules[at:])
    line = None if before is None else line_of(said.text, at)
    spliced, _ = read_catalogue(catalogue_text.with_rule(said.text, rule, line))
    if spliced and spliced.rules == rules:
        return spliced
    return Written.of(
        catalogue_text.written(rules), rules
    )  # it is written in another way than ours


async def discard(act: ServiceAct, id: UUID, body: CatalogueReason) -> EditionOut:
    """作废: the draft will not be published. Raises NotFound, MoveRefused."""
    ledger, row = await _open_draft(act, id)
    row.discarded_at, row.discarded_by = act.now, act.actor
    _note(row, body.reason)
    return edition_out(act, ledger, row)


async def _open_draft(act: ServiceAct, id: UUID) -> tuple[Ledger[Edition], Edition]:
    await catalogues.in_force(act)
    ledger = await catalogues.ledger(act)
    row = act.locked[id] = ledger.find(id)
    editions.check_open(version=row.version, discarded=row.discarded_at is not None)
    return ledger, row


def _write(act: ServiceAct, row: Edition, said: Written) -> None:
    catalogues.keep_text(act, said)
    row.digest, row.edited_at = said.digest, act.now
    if act.actor not in row.authors:
        row.authors = [*row.authors, act.actor]


def _note(row: Edition, more: str | None) -> None:
    """One note more behind those before; of very many the newest."""
    if more:
        row.note = f"{row.note}\n{more}"[-LONGEST_NOTE:]


async def _said(act: ServiceAct, ledger: Ledger[Edition], body: DraftContent) -> Written:
    """What a body says a draft is to be."""
    if body.yaml is not None:
        return await _read(body.yaml)
    if body.rules is not None:
        return await _read(catalogue_text.written(body.rules))
    source = ledger.version(body.from_version) if body.from_version else ledger.latest
    if source is None:
        raise AssertionError("no catalogue is in force")
    return await catalogues.written(act, source.digest)


async def _read(text: str) -> Written:
    said, found = await asyncio.to_thread(read_catalogue, text)
    if said is None:
        raise NoCatalogue("; ".join(map(str, found[:3])), field="yaml", faults=_faults(found))
    return said


def _faults(found: Sequence[Fault]) -> list[dict[str, object]]:
    return [
        {"line": fault.line, "field": fault.field, "message": fault.wrong}
        for fault in found[:SHOWN]
    ]


# --- publishing --------------------------------------------------------------------------------


async def publish(act: ServiceAct, id: UUID, body: Publication) -> EditionOut:
    """发布: the draft is the next version, by somebody who wrote nothing of it.

    Raises NotFound, MoveRefused, OwnDraft, ChangedDraft, OutdatedDraft, EffectiveTooEarly, EffectiveTooLate,
    CatalogueRefused.
    """
    ledger, row = await _open_draft(act, id)
    editions.check_second_person(person(act.actor), row.authors)
    if body.digest != row.digest:
        raise editions.ChangedDraft(digest=row.digest)
    latest = ledger.latest
    editions.check_current(row.based_on, latest.version if latest else None)
    before = latest.effective_at if latest else None
    effective_at = editions.takes_effect(body.effective_at, act.now, before)
    found = faults(await findings(act, row.digest))
    if found:
        raise CatalogueRefused(
            "；".join(finding.zh for finding in found[:3]),
            faults=[finding_out(finding).model_dump(mode="json") for finding in found[:SHOWN]],
        )
    await catalogues.publish(act, row, effective_at, act.actor)
    return edition_out(act, ledger, row)


async def withdraw(act: ServiceAct, version: int, body: CatalogueReason) -> EditionOut:
    """撤回: a version that does not decide yet never will. Raises NotFound, MoveRefused."""
    await catalogues.in_force(act)
    ledger = await catalogues.ledger(act)
    row = act.locked[version] = ledger.version(version)
    editions.check_withdrawable(
        row.effective_at,
        act.now,
        withdrawn=row.withdrawn_at is not None,
        last=row is ledger.latest,
    )
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = act.now, act.actor, body.reason
    data = events.CatalogueWithdrawn(catalogue_version=version, reason=body.reason)
    act.tell(data, subject=catalogues.SUBJECT, round=1)
    return edition_out(act, ledger, row)


# --- checking ----------------------------------------------------------------------------------


async def findings(act: ServiceAct, digest: str) -> list[Finding]:
    """Everything that is wrong with a catalogue, found beside the loop: two thousand rules take a second."""
    said = await catalogues.written(act, digest)
    return await asyncio.to_thread(check, said.rules, act.config.county())


async def checked(act: ServiceAct, row: Edition) -> CheckOut:
    """校核 as it is answered."""
    found = await findings(act, row.digest)
    wrong = len(faults(found))
    return CheckOut(
        digest=row.digest,
        publishable=not wrong,
        faults=wrong,
        warnings=len(found) - wrong,
        items=[*map(finding_out, found)],
    )


# --- as it is answered -------------------------------------------------------------------------


def edition_out(act: ServiceAct, ledger: Ledger[Edition], row: Edition) -> EditionOut:
    """A draft or version as it is answered."""
    now = ledger.in_force(act.now)
    return EditionOut.model_validate(shown(row, act.now, now.version if now else None))


def whole(act: ServiceAct, row: Edition, in_force: int | None, text: str) -> WholeEdition:
    """A draft or version with its text."""
    return WholeEdition.model_validate(shown(row, act.now, in_force) | {"yaml": text})


def finding_out(finding: Finding) -> FindingOut:
    """One finding as it is answered."""
    return FindingOut(
        kind=finding.kind,
        level=finding.level,
        rule=finding.rule,
        field=".".join(map(str, finding.where)),
        sentence=Sentence(zh=finding.zh, en=finding.en),
    )
