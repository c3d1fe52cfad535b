"""时限规则的起草、发布与撤回: written through the doors, published by a second person (GB66-5, ADR 0072)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from services.tracker.policies import versions
from services.tracker.policies.models import PolicyEdition
from services.tracker.policies.schemas import PolicyContent, PolicyReason
from services.tracker.policies.versions import FILES, Texts
from services.tracker.records import ServiceAct
from services.tracker.settings import Config, Rules
from shared import editions, events, policies
from shared.caller import person
from shared.editions import DOOR
from shared.errors import JiesuError, Malformed
from shared.http.editions import EditionOut, Publication, shown
from shared.jurisdiction.reader import Fault

SHOWN = 200  # faults in a refusal


class NoPolicy(Malformed):
    """The texts are no policy; ``faults`` are all of them, each with file, line and field."""

    slug = "no-policy"
    title = "不是有效的时限规则 The texts are no policy"


class PolicyRefused(JiesuError):
    """时限规则有错: beside the folder as it is now the draft is wrong; ``faults`` are all of them."""

    status = 409
    slug = "policy-refused"
    title = "时限规则校核未通过，未发布 The policy does not check and was not published"


# --- writing -----------------------------------------------------------------------------------


async def make(act: ServiceAct, _: None, body: PolicyContent) -> EditionOut:
    """起草: a new draft on top of the latest version. Raises NotFound, NoPolicy."""
    await versions.ledger(act)
    texts = await _said(act, body)
    return edition_out(act, versions.draft(act, texts, DOOR, act.actor, body.note))


async def rewrite(act: ServiceAct, id: UUID, body: PolicyContent) -> EditionOut:
    """改写: another content for a draft, on top of what is the latest version now. Raises NotFound,
    MoveRefused, NoPolicy.
    """
    row = await _open_draft(act, id)
    texts, base = await _said(act, body), versions.latest(act)
    row.based_on, row.base = base.version, base.digest
    row.limits, row.supervision = texts
    row.digest, row.note, row.edited_at = texts.digest, body.note, act.now
    if act.actor not in row.authors:
        row.authors = [*row.authors, act.actor]
    return edition_out(act, row)


async def discard(act: ServiceAct, id: UUID, body: PolicyReason) -> EditionOut:
    """作废: the draft will not be published. Raises NotFound, MoveRefused."""
    row = await _open_draft(act, id)
    row.discarded_at, row.discarded_by = act.now, act.actor
    row.note = f"{row.note}\n{body.reason}"
    return edition_out(act, row)


async def _open_draft(act: ServiceAct, id: UUID) -> PolicyEdition:
    row = act.locked[id] = await versions.find(act, id)
    editions.check_open(version=row.version, discarded=row.discarded_at is not None)
    return row


async def _said(act: ServiceAct, body: PolicyContent) -> Texts:
    """What a body says a draft is to be."""
    source = versions.latest(act)
    if body.from_version not in (None, source.version):
        source = await versions.numbered(act, body.from_version)
    texts = Texts(body.limits or source.limits, body.supervision or source.supervision)
    if found := await faults_of(act.config, texts):
        raise NoPolicy(_where(found), faults=_faults(found))
    return texts


async def faults_of(config: Config, texts: Texts) -> list[Fault]:
    """All that is wrong with a policy in the place of the folder's own."""
    put = {name: text.encode() for name, text in zip(FILES, texts, strict=True)}
    folder = replace(config.folder, files=dict(config.folder.files) | put)
    found = await asyncio.to_thread(folder.faults_of, Rules)
    return sorted(fault._replace(file=Path(fault.file).name) for fault in found)


def _where(found: Sequence[Fault]) -> str:
    first = found[0]
    return (
        f"共{len(found)}处错误，第一处在{first.file}第{first.line}行 "
        f"{len(found)} faults, the first in line {first.line} of {first.file}"
    )


def _faults(found: Sequence[Fault]) -> list[dict[str, object]]:
    return [
        {"file": fault.file, "line": fault.line, "field": fault.field, "message": fault.wrong}
        for fault in found[:SHOWN]
    ]


# --- publishing --------------------------------------------------------------------------------


async def publish(act: ServiceAct, id: UUID, body: Publication) -> EditionOut:
    """发布: the draft is the next version, by somebody who wrote nothing of it, from a moment on that every
    service has heard of by then.

    Raises NotFound, MoveRefused, OwnDraft, ChangedDraft, OutdatedDraft, EffectiveTooEarly,
    EffectiveTooLate, PolicyRefused.
    """
    row = await _open_draft(act, id)
    editions.check_second_person(person(act.actor), row.authors)
    if body.digest != row.digest:
        raise editions.ChangedDraft(digest=row.digest)
    latest = versions.latest(act)
    editions.check_current(row.based_on, latest.version, same=row.base == latest.digest)
    effective_at = editions.takes_effect(
        body.effective_at, act.now, latest.effective_at, policies.NOTICE
    )
    if found := await faults_of(act.config, Texts(row.limits, row.supervision)):
        raise PolicyRefused(_where(found), faults=_faults(found))
    await versions.publish(act, row, effective_at, act.actor)
    return edition_out(act, row)


async def withdraw(act: ServiceAct, version: int, body: PolicyReason) -> EditionOut:
    """撤回: a version that does not decide yet never will. Raises NotFound, MoveRefused."""
    ledger = await versions.ledger(act)
    unkept = ledger.latest is None and version == policies.FOLDERS  # nothing was published
    row = act.locked[version] = (
        versions.folders(act) if unkept else await versions.numbered(act, version)
    )
    editions.check_withdrawable(
        row.effective_at,
        act.now,
        withdrawn=row.withdrawn_at is not None,
        last=row is ledger.latest,
    )
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = act.now, act.actor, body.reason
    data = events.PolicyWithdrawn(policy_version=version, reason=body.reason)
    act.tell(data, subject=versions.SUBJECT, round=1)
    await policies.withdraw(act, version)
    return edition_out(act, row)


def edition_out(act: ServiceAct, row: PolicyEdition) -> EditionOut:
    """A draft or version as it is answered."""
    return EditionOut.model_validate(shown(row, act.now, policies.version(act)))
