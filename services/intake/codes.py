"""代码表 The code tables, for whoever fills in forms: GET /v1/codes/{table}.

All of them are answered here, by the service every channel and unit system already calls; they are
one folder of files, and each service refuses to start when its rules name a code that is not in
them. How a unit is reached and who must sign there is nobody else's to know, and is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict

from services.intake.rules.endings import EndingRules, NotAcceptedReason
from services.intake.settings import Config
from shared.caller import Caller
from shared.http.auth import calling
from shared.http.router import Router
from shared.jurisdiction.codes import Codes, Term, Unit, Units
from shared.security.tokens import ROLES
from shared.service import service_of

router = Router("/v1", tags=["intake 受理", "codes 代码表"])
Anybody = Annotated[Caller, Depends(calling(*ROLES))]
KnownTag = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=1_000,
        description="ETag of what you have: 304 when it holds",
    ),
]


class Table(StrEnum):
    """区域 areas, 来源渠道 channels, 领域 fields, 诉求分类 topics, 承办单位 units, 退单理由 reasons,
    未解决原因 unsolved_reasons, 不予受理情形 not_accepted, 应急热线 lines.
    """

    AREAS = "areas"
    CHANNELS = "channels"
    FIELDS = "fields"
    TOPICS = "topics"
    UNITS = "units"
    REASONS = "reasons"
    UNSOLVED_REASONS = "unsolved_reasons"
    NOT_ACCEPTED = "not_accepted"
    LINES = "lines"


class InsteadOut(BaseModel):
    """The channel to use instead."""

    model_config = ConfigDict(from_attributes=True)
    zh: str
    en: str
    phone: str | None
    address: str | None


class CodeRow(BaseModel):
    """One code with its names; ``en`` is null where nobody gave an English one.

    ``parent``: the field of a topic or of a field, the area an area lies in, the unit above a unit.
    ``unit``: the government that answers for an area. ``kind`` of a unit: town, district, department,
    utility, office, village or station; ``area``: a town's or district's. ``aliases``: what else is
    understood where the code is asked. ``instead``: where what is not accepted
    belongs; ``basis``: the rule it is not accepted by.
    """

    code: str
    zh: str
    en: str | None = None
    parent: str | None = None
    unit: str | None = None
    kind: str | None = None
    area: str | None = None
    aliases: tuple[str, ...] = ()
    basis: str | None = None
    instead: InsteadOut | None = None


class CodeTable(BaseModel):
    """A whole table, in the order of its file; it changes only with a release of the rules."""

    items: list[CodeRow]


def tables_of(codes: Codes, units: Units, endings: EndingRules) -> Mapping[Table, list[CodeRow]]:
    """Every table as it is answered."""
    return {
        Table.AREAS: _areas(codes, units),
        Table.CHANNELS: [_term(row, aliases=row.aliases) for row in codes.channels],
        Table.FIELDS: [_term(row, row.above or None) for row in codes.fields],
        Table.TOPICS: [_term(row, row.above, row.aliases) for row in codes.topics],
        Table.UNITS: [_unit(unit) for unit in units.units],
        Table.REASONS: [_term(row) for row in codes.reasons],
        Table.UNSOLVED_REASONS: [_term(row) for row in codes.unsolved_reasons],
        Table.NOT_ACCEPTED: [_reason(reason) for reason in endings.not_accepted],
        Table.LINES: [CodeRow(code=line.code, zh=line.zh, en=line.en) for line in endings.lines],
    }


def _areas(codes: Codes, units: Units) -> list[CodeRow]:
    answering = units.answering(codes)
    return [
        CodeRow(
            code=area.code,
            zh=area.name,
            parent=codes.area_above(area.code),
            unit=answering.get(area.code),
            aliases=area.aliases,
        )
        for area in codes.areas
    ]


def _term(term: Term, parent: str | None = None, aliases: tuple[str, ...] = ()) -> CodeRow:
    return CodeRow(code=term.code, zh=term.zh, en=term.en, parent=parent, aliases=aliases)


def _reason(reason: NotAcceptedReason) -> CodeRow:
    instead = InsteadOut.model_validate(reason.instead)
    return CodeRow(
        code=reason.code, zh=reason.zh, en=reason.en, basis=reason.basis, instead=instead
    )


def _unit(unit: Unit) -> CodeRow:
    return CodeRow(
        code=unit.code,
        zh=unit.name,
        parent=unit.parent,
        kind=unit.kind,
        area=unit.area,
        aliases=unit.aliases,
    )


@router.get(
    "/codes/{table}",
    response_model=CodeTable,
    responses={304: {"description": "与您已有的一致 What you have still holds"}},
)
async def read_codes(
    request: Request, table: Table, _: Anybody, known: KnownTag = None
) -> Response:
    """代码表 One table of codes with their names. Ask again with If-None-Match: 304 when it holds."""
    config: Config = service_of(request.app).store.config
    body = (
        CodeTable(items=tables_of(config.codes, config.units, config.endings)[table])
        .model_dump_json()
        .encode()
    )
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in tags_in(known or ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def tags_in(known: str) -> set[str]:
    """The entity tags a caller has; compared weakly (RFC 9110 13.1.2)."""
    return {tag.strip().removeprefix("W/") for tag in known.split(",")}
