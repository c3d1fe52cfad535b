"""机构改革: merging, renaming and splitting units, decided by two persons (ADR 0056).

What follows for orders stands in transferring.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.dispatcher import orders, records
from services.dispatcher.models import Reform, Reforms
from services.dispatcher.records import ServiceAct
from services.dispatcher.reform import transferring
from services.dispatcher.reform.schemas import (
    ReformApproval,
    ReformIn,
    ReformList,
    ReformMoves,
    ReformOut,
    ReformPartIn,
    ReformWithdrawal,
)
from services.dispatcher.rules import reforming as rules
from services.dispatcher.rules.reforming import Part, Plan, ReformPending, ReformStatus
from shared.caller import person
from shared.errors import Malformed, NotFound, UnknownCode
from shared.http.fields import Sentence

# One proposal at a time: each is judged by all that stand, and two that cross would make a circle.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(0x72666d73)")  # "rfms"
STANDING = select(Reforms).where(col(Reforms.withdrawn_at).is_(None))


# --- decided by two persons --------------------------------------------------------------------


async def propose(act: ServiceAct, called: str, body: ReformIn) -> ReformOut:
    """拟定: what is to become of a unit, and from which day on. Nothing happens before it is approved.

    Raises UnknownCode, AmbiguousCode, Malformed and what rules/reforming.py raises.
    """
    plan = _plan(act, called, body)
    rules.check_form(plan)
    await (await act.session.connection()).execute(ONE_AT_A_TIME)
    standing = (await act.session.exec(STANDING)).all()
    gone = [each.unit for each in standing if each.in_force_at]
    rules.check(plan, act.config.units, {each.unit: each.successors for each in standing}, gone)
    if pending := next((each for each in standing if each.unit == plan.unit), None):
        raise ReformPending(unit=plan.unit, reform=str(pending.id))
    if body.effective < act.now.astimezone(act.config.calendar.tz).date():
        raise Malformed(
            "生效日期不能早于今天 a reform takes no effect before today", field="effective"
        )
    reform = Reform(
        id=orders.new_id(),
        unit=plan.unit,
        kind=plan.kind,
        successors=list(plan.successors),
        parts=[part._asdict() for part in plan.parts],
        remainder=plan.remainder,
        reason=body.reason,
        effective_at=datetime.combine(body.effective, time(), act.config.calendar.tz),
        proposed_at=act.now,
        proposed_by=act.actor,
    )
    return await _shown(act, act.rows.add(reform))


def _plan(act: ServiceAct, called: str, body: ReformIn) -> Plan:
    topics, areas = act.config.codes.topic_names, act.config.codes.area_names
    branches, known = act.config.codes.branches, [area.code for area in act.config.codes.areas]

    def codes(field: str, given: Sequence[str], names: Any, allowed: Any) -> tuple[str, ...]:
        found = [each if each in allowed else names.code(each, field) for each in given]
        if astray := set(found).difference(allowed):
            raise UnknownCode(sorted(astray), field=field, codes=sorted(astray))
        return tuple(dict.fromkeys(found))

    def unit(field: str, given: str | None) -> str | None:
        return given and records.named_unit(act, field, given)

    parts = [
        Part(
            records.named_unit(act, "parts", part.unit),
            codes("parts", part.topics, topics, branches),
            codes("parts", part.areas, areas, known),
        )
        for part in body.parts
    ]
    return Plan(
        kind=body.kind,
        unit=records.named_unit(act, "unit", called),
        into=unit("into", body.into),
        parts=tuple(parts),
        remainder=unit("remainder", body.remainder),
    )


async def approve(act: ServiceAct, id: UUID, body: ReformApproval) -> ReformOut:
    """批准: by another person than who proposed it. Raises NotFound, MoveRefused, OwnReform, NotInUnits."""
    reform = await _locked(act, id)
    rules.check_move("approve", _status(reform))
    rules.check_other_person(reform.proposed_by, act.actor)
    stands = _stands(act, reform)
    if set(stands) != set(reform.successors):
        raise rules.NotInUnits(unit=reform.unit, successors=reform.successors, stands=stands)
    reform.approved_at, reform.approved_by = act.now, act.actor
    reform.approved_note = body.note
    return await _shown(act, reform)


async def withdraw(act: ServiceAct, id: UUID, body: ReformWithdrawal) -> ReformOut:
    """撤回: until it is in force. Raises NotFound, MoveRefused."""
    reform = await _locked(act, id)
    rules.check_move("withdraw", _status(reform))
    reform.withdrawn_at, reform.withdrawn_by = act.now, act.actor
    reform.withdrawn_reason = body.reason
    return await _shown(act, reform)


async def _locked(act: ServiceAct, id: UUID) -> Reform:
    if id not in act.locked:
        query = select(Reforms).where(col(Reforms.id) == id).with_for_update()
        act.locked[id] = next(iter(await act.rows.load(Reform, query)), None)
    reform: Reform | None = act.locked[id]
    if reform is None:
        raise NotFound
    return reform


# --- reading -----------------------------------------------------------------------------------


async def listed(act: ServiceAct) -> ReformList:
    """Every reform, the newest first: there are few."""
    rows = await act.session.exec(select(Reforms).order_by(col(Reforms.proposed_at).desc()))
    return ReformList(items=[_out(act, row) for row in rows])


async def read(act: ServiceAct, id: UUID) -> ReformOut:
    """One reform, with what is left to go to whom. Raises NotFound."""
    row = await act.session.get(Reforms, id)
    if row is None:
        raise NotFound
    return await _shown(act, row)


async def _shown(act: ServiceAct, reform: Reform) -> ReformOut:
    to: Counter[str | None] = Counter()
    if _status(reform) is not ReformStatus.WITHDRAWN:
        to = await transferring.would_go(act, reform.unit, transferring.dissolved_by(reform))
    left = [ReformMoves(unit=unit, orders=count) for unit, count in to.most_common()]
    return _out(act, reform).model_copy(update={"left": left})


def _out(act: ServiceAct, reform: Reform) -> ReformOut:
    names, status = act.config.dispatching.names, _status(reform)
    zh, en = rules.SENTENCES[status]
    return ReformOut(
        **reform.model_dump(exclude={"parts"}),
        parts=[ReformPartIn.model_validate(part) for part in reform.parts],
        unit_name=names.unit(reform.unit),
        successor_names=[names.unit(unit) for unit in reform.successors],
        status=status,
        sentence=Sentence(zh=zh, en=en),
        allowed=_allowed(act, reform, status),
    )


def _allowed(act: ServiceAct, reform: Reform, status: ReformStatus) -> list[str]:
    """What its reader may do: another person than who proposed it approves it, once units.yaml says so."""
    other = person(reform.proposed_by) != person(act.actor)
    approvable = other and set(_stands(act, reform)) == set(reform.successors)
    return [each for each in rules.MOVES[status] if each != "approve" or approvable]


def _stands(act: ServiceAct, reform: Reform) -> list[str]:
    """Who follows its unit by units.yaml."""
    own = act.config.units.unit(reform.unit)
    return list(own.successors) if own else []


def _status(reform: Reform) -> ReformStatus:
    return rules.reform_status(
        reform.approved_at, reform.in_force_at, reform.done_at, reform.withdrawn_at
    )
