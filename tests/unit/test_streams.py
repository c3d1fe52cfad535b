"""Limits of their own: which row of ``streams`` is a ticket's (BJ-13), and which row could be nobody's."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events import LegalLimit, Limits, Role, TicketType, Urgency
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.streams import Kind, Stream
from tests.fixtures.policy import LIMITS

T, U = TicketType, Urgency
MATTERS, CHANNELS, UNITS = ["tourism", "water"], ["phone", "city"], ["HC", "GT"]


def table(*streams: dict[str, Any]) -> LimitTable:
    return LimitTable.model_validate(LIMITS | {"streams": list(streams)})


def some(words: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(words), min_size=1, unique=True)


CONDITIONS = {
    "matter": st.sampled_from(MATTERS),
    "types": some([T.HELP, T.COMPLAINT]),
    "urgencies": some([U.NORMAL, U.URGENT]),
    "channels": some(CHANNELS),
    "units": some(UNITS),
}
ROWS = st.lists(
    st.fixed_dictionaries({"handle": st.just("1h")}, optional=CONDITIONS).filter(
        lambda r: len(r) > 1
    ),
    max_size=5,
)


EVERY = [
    Kind(*of)
    for of in product(
        [T.HELP, T.COMPLAINT],
        [U.NORMAL, U.URGENT],
        map(frozenset, ([], MATTERS[:1], MATTERS[1:], MATTERS)),
        [*CHANNELS, None],
        [*UNITS, None],
    )
]


def first(rows: list[dict[str, Any]], of: Kind) -> int | None:
    """A plain loop over what stands in the file."""
    for at, row in enumerate(rows):
        said = {"types": of.type, "urgencies": of.urgency, "channels": of.channel, "units": of.unit}
        if row.get("matter", None) not in (None, *of.under):
            continue
        if all(value in row[name] for name, value in said.items() if name in row):
            return at
    return None


@given(rows=ROWS)
def test_the_first_row_that_fits_is_the_one(rows: list[dict[str, Any]]) -> None:
    """DOMAIN.md 2.2, BJ-13: the limit is set by topic, type, urgency, source and unit."""
    parsed = tuple(Stream.model_validate(row) for row in rows)
    limits = table().model_copy(update={"streams": parsed})
    for of in EVERY:
        at = first(rows, of)
        assert limits.stream(of) is (None if at is None else parsed[at])


@given(rows=ROWS)
def test_a_row_that_is_refused_as_forestalled_is_never_the_first(
    rows: list[dict[str, Any]],
) -> None:
    parsed = [Stream.model_validate(row) for row in rows]
    covered = {at for at, row in enumerate(parsed) if any(each.covers(row) for each in parsed[:at])}
    assert covered.isdisjoint(first(rows, of) for of in EVERY)


def handle(limits: LimitTable, **of: Any) -> Limits:
    return limits.stages(limits.kind(T.HELP, of.pop("urgency", U.NORMAL), "water.supply", **of))


def test_a_row_for_a_channel_and_for_other_stages() -> None:
    rows = table(
        {
            "title": "市转 city",
            "channels": ["city"],
            "dispatch": "10min",
            "sign": "1h",
            "handle": "3wd",
        }
    )
    by_city, by_phone = handle(rows, channel="city"), handle(rows, channel="phone")
    assert (by_city.sign, by_city.first_contact, by_city.handle) == ("1h", "1wd", "3wd")
    assert (by_city.rule, by_phone.rule, by_phone.handle) == ("市转 city", None, "5wd")
    kinds = (rows.kind(T.HELP, U.NORMAL, "water.supply", channel=each) for each in CHANNELS)
    assert [rows.dispatch(of) for of in kinds] == ["30min", "10min"]


def test_a_row_for_a_unit_only_shortens() -> None:
    """How long a citizen waits does not depend on who gets the matter."""
    rows = table(
        {"units": ["GSGS"], "matter": "water", "handle": "3wd", "sign": "8wh"},
        {"matter": "water", "handle": "10wd"},
    )
    assert handle(rows, unit="GSGS").handle == "3wd"
    assert handle(rows, unit="GSGS").sign == "4wh"
    assert handle(rows, unit="HC").handle == handle(rows).handle == "10wd"


def test_a_row_may_say_the_extension_alone() -> None:
    row = Stream.model_validate({"matter": "tourism", "extension": "3wd"})
    assert (dict(row.stages), str(row.extension)) == ({}, "3wd")


def test_a_row_for_an_urgency() -> None:
    rows = table({"matter": "water", "urgencies": ["urgent"], "handle": "6h"})
    assert [handle(rows, urgency=each).handle for each in (U.NORMAL, U.URGENT)] == ["5wd", "6h"]


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([{"handle": "3wd"}], "streams.0"),
        ([{"matter": "water"}], "streams.0"),
        ([{"matter": "water", "types": [], "handle": "3wd"}], "streams.0.types"),
        ([{"matter": "water", "channels": [], "handle": "3wd"}], "streams.0.channels"),
        ([{"units": ["HC"], "dispatch": "5min"}], "streams.0.dispatch"),
        ([{"matter": "water", "urgencies": ["urgent"], "handle": "5wd"}], "streams.0.handle"),
        ([{"units": ["HC"], "urgencies": ["normal"], "handle": "9wd"}], "streams.0.handle"),
        ([{"matter": "water", "types": ["commendation"], "handle": "5wd"}], "streams.0.handle"),
        (
            [
                {"matter": "water", "handle": "3wd"},
                {"matter": "water", "channels": ["city"], "handle": "1wd"},
            ],
            "streams.1",
        ),
        ([{"channels": ["city"], "handle": "3wd"}] * 2, "streams.1"),
    ],
)
def test_a_row_that_no_ticket_could_obey_is_refused(rows: list[dict[str, Any]], where: str) -> None:
    with pytest.raises(ValidationError) as refused:
        table(*rows)
    assert {".".join(map(str, each["loc"])) for each in refused.value.errors()} == {where}


LAW = LegalLimit(law="《劳动保障监察条例》", article="第十七条", limit="60wd")


@pytest.mark.parametrize(
    ("limit", "role", "handle"),
    [
        ("60wd", Role.LEAD, "60wd"),
        ("60wd", Role.CO, "36wd"),
        ("5wd", Role.LEAD, "5wd"),
        ("2wd", Role.LEAD, "5wd"),
    ],
)
def test_a_longer_limit_of_a_law_prevails(limit: str, role: Role, handle: str) -> None:
    """JN-24(2), WF-20(2): longer_law_limit_wins."""
    rows, law = table(), LAW.model_copy(update={"limit": limit})
    found = rows.stages(rows.kind(T.HELP, U.NORMAL), role=role, law=law)
    assert found.handle == handle
    assert found.law == (law if limit == "60wd" else None)


def test_no_law_puts_off_what_is_urgent() -> None:
    rows = table()
    found = rows.stages(rows.kind(T.HELP, U.URGENT), law=LAW)
    assert (found.handle, found.law) == ("24h", None)


def test_a_statute_may_be_named_for_its_matter_alone() -> None:
    rows = LimitTable.model_validate(LIMITS)
    kinds = (rows.kind(T.HELP, U.NORMAL, topic) for topic in ("labour.wages", "water.supply"))
    assert [rows.laws(of) for of in kinds] == [{"labour_inspection": LAW}, {}]
