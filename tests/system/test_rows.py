"""Plain rows on a real database: what an act did to them is what the table holds, or nothing is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col, delete, select, update

from shared.events import TicketType, Urgency
from shared.storage.act import Act, Store
from shared.storage.engine import is_trouble
from shared.storage.rows import one_of
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.sheets import Base, Leaf, Leaves, Sheet, Sheets
from tests.fixtures.statements import asked

QUOTED = ("", "'; DROP --", '"\\"', "{[,:]}", "null")
UNSEEN = ("一\n二\r\t", "🙂", "\u2028\u2029", "\ufeff\u202e")
NEWER = "of_next_release"
Content = dict[str, Any]


@pytest.fixture(scope="module")
async def store(postgres: Postgres) -> AsyncIterator[Store[None]]:
    """A store of nothing but sheets and leaves."""
    async with postgres.fresh_database() as url:
        made = Store("sheets", url, None)
        async with made.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield made
        await made.close()


@pytest.fixture(autouse=True)
async def _empty(store: Store[None]) -> None:
    await empty(store)


async def empty(store: Store[None]) -> None:
    """Remove every row."""
    async with store.engine.begin() as connection:
        await connection.execute(delete(Leaves))
        await connection.execute(delete(Sheets))


async def sheets(act: Act[None]) -> list[Sheet]:
    """Every sheet, to be changed."""
    return await act.rows.load(Sheet, select(Sheets).order_by(col(Sheets.name)))


async def leaves(act: Act[None]) -> list[Leaf]:
    """Every leaf, to be changed."""
    return await act.rows.load(Leaf, select(Leaves).order_by(col(Leaves.sheet), col(Leaves.place)))


def content(rows: Sequence[Sheet | Leaf]) -> list[Content]:
    """Rows as values."""
    return [row.model_dump() for row in rows]


async def kept(store: Store[None]) -> list[Content]:
    """What stands in the table of sheets."""
    async with store.act("test") as act:
        return content(await sheets(act))


async def written(store: Store[None], *names: str, **values: Any) -> None:
    """Sheets of these names, in an act of their own."""
    async with store.act("test") as act:
        for name in names:
            act.rows.add(Sheet(name=name, **values))


# --- values ------------------------------------------------------------------------------------

texts = st.one_of(
    st.sampled_from(QUOTED + UNSEEN),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=11))])
instants = st.builds(
    lambda since, zone: datetime(2026, 3, 2, tzinfo=zone) + since,
    st.timedeltas(timedelta(days=-500_000), timedelta(days=2_000_000)),
    zones,
)
numbers = st.integers(-(2**31), 2**31 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
# What JSON holds: a float that is a whole number comes back as one, which is the same number.
json = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "words": st.none() | texts,
    "count": numbers,
    "weight": st.none() | floats,
    "done": st.booleans(),
    "id": st.none() | st.uuids(),
    "at": st.none() | instants,
    "day": st.none() | st.dates(),
    "matter": st.none() | st.dictionaries(texts, json, max_size=3),
    "items": st.lists(json, max_size=3),
    "tags": st.lists(texts, max_size=3),
    "sealed": st.binary(max_size=20),
    "type": st.sampled_from([*TicketType, NEWER]).map(TicketType),
    "urgency": st.none() | st.sampled_from([*Urgency, NEWER]).map(Urgency),
}
contents = st.fixed_dictionaries(VALUES)
changes = st.fixed_dictionaries({}, optional=VALUES)


@given(contents)
async def test_what_is_added_is_read_as_it_was(store: Store[None], values: Content) -> None:
    await empty(store)
    await written(store, "a", **values)
    [row] = await kept(store)
    assert row == {"name": "a", **values}
    assert (row["type"].value, str(row["urgency"])) == (
        values["type"].value,
        str(values["urgency"]),
    )


@given(contents, changes)
async def test_what_is_changed_is_read_as_it_is_now(
    store: Store[None], before: Content, changed: Content
) -> None:
    await empty(store)
    await written(store, "a", "b", **before)
    async with store.act("test") as act:
        first, _ = await sheets(act)
        for name, value in changed.items():
            setattr(first, name, value)
    assert await kept(store) == [{"name": "a", **before, **changed}, {"name": "b", **before}]


async def test_an_unknown_word_is_written_again_as_it_was(store: Store[None]) -> None:
    await written(store, "a", type=TicketType(NEWER), urgency=Urgency(NEWER))
    async with store.act("test") as act:
        [row] = await sheets(act)
        assert (row.type, row.urgency) == (TicketType.UNKNOWN, Urgency.UNKNOWN)
        act.rows.add(Sheet(**row.model_dump() | {"name": "b"}))
        act.rows.remove(row)
    [row] = [Sheet(**each) for each in await kept(store)]
    assert (row.name, str(row.type), str(row.urgency)) == ("b", NEWER, NEWER)


# --- what is no value --------------------------------------------------------------------------

NO_VALUE: dict[str, Content] = {
    "NUL": {"words": "a\0b"},
    "NUL in JSON": {"matter": {"a": "\0"}},
    "NUL in a list": {"tags": ["\0"]},
    "half a letter": {"words": "\ud800"},
    "half a letter in JSON": {"items": ["\ud800"]},
    "half a letter in a list": {"tags": ["\udfff"]},
    "a number too large": {"count": 2**40},
    "a number larger still": {"items": [2**80]},
    "no value": {"matter": {"a": object()}},
}


@pytest.mark.parametrize("place", NO_VALUE)
async def test_what_no_table_holds_fails_and_leaves_nothing(store: Store[None], place: str) -> None:
    await written(store, "a", words="before")
    before = await kept(store)

    async def spoilt() -> None:
        async with store.act("test") as act:
            [row] = await sheets(act)
            row.words = "after"
            act.rows.add(Sheet(name="b"))
            act.rows.add(Leaf(sheet="a", place=1))
            act.rows.add(Sheet.model_construct(name="c", **NO_VALUE[place]))

    with pytest.raises((DBAPIError, TypeError)) as failed:
        await spoilt()
    assert not is_trouble(failed.value)
    assert await kept(store) == before
    async with store.act("test") as act:
        assert await leaves(act) == []
    await written(store, "d")  # and the store goes on


async def test_a_model_refuses_what_is_no_value_of_its_column() -> None:
    with pytest.raises(ValidationError):
        Sheet.model_validate({"name": "a", "count": "many"})


# --- acts --------------------------------------------------------------------------------------

NAMES = st.sampled_from("abcde")
deeds = st.one_of(
    st.tuples(st.just("change"), NAMES, changes),
    st.tuples(st.just("remove"), NAMES, st.none()),
    st.tuples(st.just("add"), NAMES, contents),
    st.tuples(st.just("add unless there"), NAMES, contents),
    st.tuples(st.just("collect"), NAMES, st.none()),
)


Deed = tuple[str, str, Any]


def do(act: Act[None], rows: dict[str, Sheet], spare: list[Sheet], deed: Deed) -> None:
    """One deed on the rows an act holds, if it is possible there; ``spare`` are for the end of the
    act, in their order.
    """
    what, name, values = deed
    match what:
        case "change" if name in rows:
            for column, value in values.items():
                setattr(rows[name], column, value)
        case "remove" if name in rows:
            act.rows.remove(rows.pop(name))
        case "add" if name not in rows:
            rows[name] = act.rows.add(Sheet(name=name, **values))
        case "add unless there":
            spare.append(act.rows.add(Sheet(name=name, **values), unless_there=True))
        case "collect":
            act.rows.collect()


@given(st.lists(st.lists(deeds, max_size=12), max_size=4))
async def test_the_table_holds_what_the_acts_left(
    store: Store[None], story: list[list[Deed]]
) -> None:
    await empty(store)
    left: list[Content] = []
    for chapter in story:
        async with store.act("test") as act:
            loaded = await sheets(act)
            assert content(loaded) == left
            rows, spare = {row.name: row for row in loaded}, list[Sheet]()
            for deed in chapter:
                do(act, rows, spare, deed)
            for row in spare:
                rows.setdefault(row.name, row)
            left = content([rows[name] for name in sorted(rows)])
    assert await kept(store) == left


async def test_a_change_is_seen_whenever_it_is_collected(store: Store[None]) -> None:
    await written(store, "a")
    async with store.act("test") as act:
        assert not act.rows.collect()
        [row] = await sheets(act)
        assert not act.rows.collect()
        row.count += 1
        assert act.rows.collect()
        assert not act.rows.collect()
        row.count -= 1
        assert act.rows.collect()
        added = act.rows.add(Sheet(name="b"))
        assert act.rows.collect()
        act.rows.remove(added)
        act.rows.add(Sheet(name="c"))
        assert act.rows.collect()
        act.rows.remove(row)
        assert act.rows.collect()
        assert not act.rows.collect()
    assert [row["name"] for row in await kept(store)] == ["c"]


# --- what is written ---------------------------------------------------------------------------


async def test_what_others_wrote_meanwhile_stays(store: Store[None]) -> None:
    """Of a row only what changed in it is written, whatever changed in its neighbours."""
    await written(store, "a", "b", "c", words="before", count=1)
    async with store.act("test") as act:
        first, second, _ = await sheets(act)
        async with store.engine.begin() as elsewhere:
            await elsewhere.execute(update(Sheets).values(words="meanwhile", count=2))
        first.words = "mine"
        second.count = 3
    found = [(row["words"], row["count"]) for row in await kept(store)]
    assert found == [("mine", 2), ("meanwhile", 3), ("meanwhile", 2)]


async def test_a_change_of_a_row_that_is_gone_is_not_lost_in_silence(store: Store[None]) -> None:
    await written(store, "a", "b")

    async def late() -> None:
        async with store.act("test") as act:
            first, second = await sheets(act)
            async with store.engine.begin() as elsewhere:
                await elsewhere.execute(delete(Sheets).where(col(Sheets.name) == "a"))
            first.count = second.count = 5

    with pytest.raises(AssertionError, match="sheets"):
        await late()
    assert [(row["name"], row["count"]) for row in await kept(store)] == [("b", 0)]


async def test_a_row_goes_before_another_of_its_key_comes(store: Store[None]) -> None:
    await written(store, "a", "b", words="before")
    async with store.act("test") as act:
        first, second = await sheets(act)
        act.rows.remove(first)
        act.rows.remove(second)
        act.rows.add(Sheet(name="a", words="after"))
        act.rows.add(Sheet(name="b", words="after"), unless_there=True)
    assert [row["words"] for row in await kept(store)] == ["after", "after"]


async def test_what_is_there_stays_and_what_was_added_first_counts(store: Store[None]) -> None:
    await written(store, "a", words="before")
    async with store.act("test") as act:
        for name, words in (("a", "one"), ("b", "two"), ("b", "three")):
            act.rows.add(Sheet(name=name, words=words), unless_there=True)
    assert [row["words"] for row in await kept(store)] == ["before", "two"]


async def test_rows_are_written_in_the_order_of_their_references(store: Store[None]) -> None:
    """Whatever their order in the act, and whether or not they may be there."""
    async with store.act("test") as act:
        act.rows.add(Leaf(sheet="a", place=1))
        act.rows.add(Leaf(sheet="b", place=1), unless_there=True)
        act.rows.add(Sheet(name="b"))
        act.rows.add(Sheet(name="a"), unless_there=True)
    async with store.act("test") as act:
        sheet, *_ = await sheets(act)
        leaf, *_ = await leaves(act)
        act.rows.remove(sheet)
        act.rows.remove(leaf)
    async with store.act("test") as act:
        assert [row.name for row in await sheets(act)] == ["b"]
        assert [row.sheet for row in await leaves(act)] == ["b"]
    with pytest.raises(IntegrityError) as failed:
        async with store.act("test") as act:
            act.rows.add(Leaf(sheet="nobody", place=1))
    assert not is_trouble(failed.value)


async def everything(store: Store[None], count: int) -> list[str]:
    """What it takes to add, change and remove so many rows of both tables in one act."""
    names = [f"{count}-{n}" for n in range(count)]
    await written(store, *(f"old {name}" for name in names))
    async with store.act("test") as act:
        for name in names:
            act.rows.add(Leaf(sheet=f"old {name}", place=1))
    with asked(store.engine) as statements:
        async with store.act("test") as act:
            for sheet, leaf in zip(await sheets(act), await leaves(act), strict=True):
                sheet.count, sheet.words = 1, sheet.name
                act.rows.remove(leaf)
            for name in names:
                act.rows.add(Sheet(name=name))
                act.rows.add(Leaf(sheet=name, place=1), unless_there=True)
    await empty(store)
    return statements


async def test_as_many_statements_for_fifty_rows_as_for_one(store: Store[None]) -> None:
    one, fifty = await everything(store, 1), await everything(store, 50)
    assert fifty == one
    assert len(one) == 2 + 4


async def test_an_act_that_changed_nothing_asks_nothing(store: Store[None]) -> None:
    await written(store, "a")
    with asked(store.engine) as statements:
        async with store.act("test") as act:
            [row] = await sheets(act)
            row.count, row.tags = 0, []
            act.rows.remove(act.rows.add(Sheet(name="b")))
    assert len(statements) == 1


# --- one of many -------------------------------------------------------------------------------


async def test_one_of_some_of_one_and_of_none(store: Store[None]) -> None:
    await written(store, "a", "b", "c", id=UUID(int=1), day=date(2026, 3, 2))
    async with store.act("test") as act:

        async def found(which: Any) -> list[str]:
            return [row.name for row in await act.rows.load(Sheet, select(Sheets).where(which))]

        with asked(store.engine) as statements:
            assert sorted(await found(one_of(Sheets.name, ["a", "c", "x"]))) == ["a", "c"]
            assert await found(one_of(Sheets.name, {"b"})) == ["b"]
            assert await found(one_of(Sheets.name, [])) == []
        assert len(set(statements)) == 1
        assert len(await found(one_of(Sheets.id, [UUID(int=1), UUID(int=2)]))) == 3
        assert len(await found(one_of(Sheets.day, [date(2026, 3, 2)]))) == 3
        assert len(await found(one_of(Sheets.type, [TicketType.HELP, TicketType(NEWER)]))) == 3
        assert await found(one_of(Sheets.urgency, [])) == []
