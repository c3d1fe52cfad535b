"""Rows that a newer release wrote, read after a rollback: a word we do not know stops nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text

from operations.runtime.registry import NAMES, part
from shared.events import OpenEnum, TicketRegistered, Urgency
from shared.service import service_of
from shared.storage.open_words import Words
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.intake import complaint
from tests.fixtures.scenes.street import MONDAY, Street, street

NEW = "of_next_release"
COLUMNS = [
    (name, table.name, column.name)
    for name in NAMES
    for table in part(name).base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Words)
]
PLAIN = [("feedback", "attempts", column) for column in ("contacted", "solved", "satisfied")]
LISTS = (  # what everybody asks for first; names of a matter stand in it
    "intake /v1/tickets",
    "intake /v1/tickets/{number}",
    "intake /v1/tickets?type=help",
    "dispatcher /v1/unassigned",
    "dispatcher /v1/tickets/{number}/assignments",
    "dispatcher /v1/units/GSGS/assignments",
    "dispatcher /v1/rates?from=2026-03-01&to=2026-03-31",
    "tracker /v1/tickets/{number}/clocks",
    "tracker /v1/breaches",
    "tracker /v1/rates?from=2026-03-01&to=2026-03-31&by=unit",
    "feedback /v1/callbacks",
    "feedback /v1/callbacks/{callback}",
    "feedback /v1/rates?from=2026-03-01&to=2026-03-31",
)


@pytest.mark.parametrize("kind", [*OpenEnum.__subclasses__()], ids=lambda kind: kind.__name__)
def test_an_open_enum_keeps_the_word_and_a_model_refuses_it(kind: type[OpenEnum]) -> None:
    read, unknown, strict = kind(NEW), kind["UNKNOWN"], TypeAdapter(kind)
    assert read == unknown
    assert read not in list(kind)
    assert (str(read), read.value, strict.dump_python(read, mode="json")) == (NEW, NEW, NEW)
    assert {unknown: 1}[read] == 1
    assert "unknown" not in strict.json_schema()["enum"]
    for word in (NEW, "unknown", "UNKNOWN", ""):
        with pytest.raises(ValidationError, match=next(iter(kind)).value):
            strict.validate_python(word)


def test_what_is_not_known_is_not_slower_than_urgent() -> None:
    assert Urgency(NEW).level is Urgency.URGENT
    assert Urgency("complex").level is Urgency.COMPLEX


def test_a_fact_on_record_is_read_with_words_we_do_not_know() -> None:
    row = {"type": NEW, "urgency": NEW, "topic": "x", "title": "x", "content": "x", "area": "x"}
    read = TicketRegistered.on_record(row | {"channel": "phone"})
    assert read.model_dump(mode="json", include={"type", "urgency"}) == {
        "type": NEW,
        "urgency": NEW,
    }


@pytest.fixture(scope="module")
async def whole(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Street]:
    """A running system."""
    async with street(postgres, tmp_path_factory.mktemp("var")) as one:
        yield one


async def execute(whole: Street, service: str, statement: str, **values: Any) -> list[Any]:
    app = whole.system.apps[service]
    async with service_of(app).store.engine.begin() as connection:
        found = await connection.execute(text(statement), values)
        return list(found) if found.returns_rows else []


async def test_every_column_of_words_may_hold_one_we_do_not_know(whole: Street) -> None:
    """Written into every row, asked for by everybody, and swept over by the jobs; then it is still
    there as it was written.
    """
    assert {service for service, _, _ in COLUMNS} == set(NAMES)
    before: dict[tuple[str, str, str], list[Any]] = {}
    for place in (*COLUMNS, *PLAIN):
        service, table, column = place
        rows = await execute(whole, service, f"SELECT DISTINCT {column} FROM {table}")
        before[place] = [row[0] for row in rows]
        await execute(
            whole,
            service,
            f"UPDATE {table} SET {column} = :new WHERE {column} IS NOT NULL",
            new=NEW,
        )
    await execute(
        whole, "dispatcher", "UPDATE tickets SET matter = matter || CAST(:new AS jsonb)",
        new=f'{{"type": "{NEW}", "urgency": "{NEW}"}}',
    )  # fmt: skip
    await _everybody_asks(whole)
    await _work_goes_on(whole)
    for place in (*COLUMNS, *PLAIN):
        service, table, column = place
        rows = await execute(whole, service, f"SELECT DISTINCT {column} FROM {table}")
        assert NEW in {row[0] for row in rows} or set(before[place]) <= {None}, place


async def _everybody_asks(whole: Street) -> None:
    for service, path in (place.split() for place in LISTS):
        for matter in whole.matters.values():
            place = path.format(number=matter.number, callback=matter.callback)
            answer = await whole.ask(service, "GET", place, "supervisor")
            assert answer.status_code == 200, f"{service} {place}: {answer.text}"
    one = await whole.ask(
        "intake", "GET", f"/v1/tickets/{whole.matters['ordinary'].number}", "supervisor"
    )
    assert (one.json()["type"], one.json()["urgency"]) == (NEW, NEW)


async def _work_goes_on(whole: Street) -> None:
    """The desk assigns, a citizen supplements, clocks run out, callbacks fall due: nothing dies."""
    ordinary = whole.matters["ordinary"]
    moved = {"lead": "CG", "reason": "改派"}
    about = f"/v1/tickets/{ordinary.number}/approvals", {"lead": "CG", "ground": "属地"}
    asked = await whole.do("dispatcher", *about, "desk")
    granted = {"granted": True, "note": "同意"}
    await whole.do("dispatcher", f"/v1/approvals/{asked['id']}/decision", granted, "supervisor")
    await whole.do("dispatcher", f"/v1/tickets/{ordinary.number}/assign", moved, "desk")
    await whole.do(
        "intake", f"/v1/tickets/{ordinary.number}/supplements", {"content": "补充"}, "desk"
    )
    await whole.stepper.settle()
    for days in (2, 4, 40):
        await whole.stepper.step(MONDAY + timedelta(days=days))
        await whole.stepper.settle()
    given = await whole.do("intake", "/v1/tickets", complaint(), "phone_system")
    assert given["number"]
    for service in NAMES:
        health = (await whole.ask(service, "GET", "/readyz")).json()
        assert health["ready"], service
        rows = await execute(whole, service, "SELECT DISTINCT state FROM retry")
        assert {row[0] for row in rows} <= {"newer", "behind"}, service
    await _everybody_asks(whole)
