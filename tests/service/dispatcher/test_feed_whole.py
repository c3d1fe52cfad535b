"""The unit feed gives every fact as it came, on one line, at a place that tells nothing of others."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from services.dispatcher.models import Delivery
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import warned
from tests.fixtures.scenes.feed import delivered, listening, page, quick

__all__ = ["quick"]  # a fixture

# Some call them the end of a line, drop them, or turn the text around them.
ODD = [
    *map(chr, range(0x7F, 0xA0)),
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
    "\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\ufeff",
]  # fmt: skip
PLAIN = "红椿镇 \\ \" / \t é 𠮷 👩‍👩‍👧 \u3000"  # fmt: skip
NEWER: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0b6a4c7e-26a4-4c60-9d8a-2d1f5f4f6d10",
    "type": "cn.jiesu.assignment.photographed.v3",
    "source": "dispatcher",
    "subject": "20260302-000001",
    "time": "2026-03-02T01:00:00Z",
    "seq": 7,
    "unit": "HC",
    "weight": 1.0,
    "data": {"note": "拍照", "of_the_next_release": {"z": [1, None, True], "a": 1e3}},
}


async def stored(bench: Bench, *bodies: str, unit: str = "HC") -> None:
    """What the bus brought to a unit, whatever it is."""
    async with bench.service.store.act("service:dispatcher") as act:
        for body in bodies:
            row = Delivery(unit=unit, fact=uuid4(), name="x", body=body, received_at=bench.now)
            act.rows.add(row, unless_there=True)
    await bench.run("number_feed")


async def raw(bench: Bench, unit: str = "HC", query: str = "") -> str:
    answer = await bench.http("unit", unit).get(f"/v1/units/{unit}/feed{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.content.decode()


# --- as it came --------------------------------------------------------------------------------


async def test_a_fact_of_a_newer_release_is_passed_on_letter_by_letter(quick: Bench) -> None:
    body = json.dumps(NEWER, ensure_ascii=False, separators=(", ", ": "))
    await stored(quick, body)
    assert await raw(quick) == f'{{"items":[{{"position":1,"fact":{body}}}],"next":1,"more":false}}'
    async with listening(quick, "HC") as stream:
        event = await stream.next_fact()
    assert event == {"id": "1", "event": NEWER["type"], "data": body}


async def test_a_page_is_what_the_contract_says(dispatcher: Bench) -> None:
    assert await raw(dispatcher) == '{"items":[],"next":0,"more":false}'
    await stored(dispatcher, *(json.dumps(NEWER | {"seq": seq}) for seq in (1, 2, 3)))
    got = json.loads(await raw(dispatcher, query="?limit=2"))
    assert [(item["position"], item["fact"]["seq"]) for item in got["items"]] == [(1, 1), (2, 2)]
    assert (got["next"], got["more"]) == (2, True)


@pytest.mark.parametrize("lines", [str.splitlines, lambda text: text.split("\n")])
async def test_whoever_splits_lines_finds_a_fact_on_one(quick: Bench, lines: Any) -> None:
    facts = [NEWER | {"data": {f"k{odd}": f"前{odd}后{PLAIN}"}, odd: odd} for odd in ODD]
    await stored(quick, *(json.dumps(fact, ensure_ascii=False) for fact in facts))
    text = await raw(quick)
    assert not set(ODD) & set(text)
    assert [item["fact"] for item in json.loads(text)["items"]] == facts
    async with listening(quick, "HC") as stream:
        blocks = [await stream.lines.get() for _ in ODD]
    for block, fact in zip(blocks, facts, strict=True):
        fields = [line.partition(": ") for line in lines(block) if line]
        assert [name for name, _, _ in fields] == ["id", "event", "data"]
        assert json.loads(fields[2][2]) == fact


@pytest.mark.parametrize("escaped", ["\\ud800", "\\udfff\\ud83d", "\\u2028", "\\u0000", "\\n\\r"])
async def test_what_came_escaped_stays_escaped(quick: Bench, escaped: str) -> None:
    body = json.dumps(NEWER)[:-1] + f', "note": "{escaped}"}}'
    await stored(quick, body)
    assert body in await raw(quick)
    async with listening(quick, "HC") as stream:
        assert (await stream.next_fact())["data"] == body


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
async def test_a_fact_written_over_many_lines_leaves_on_one(quick: Bench, ends: str) -> None:
    await stored(quick, json.dumps(NEWER, indent=2).replace("\n", ends))
    async with listening(quick, "HC") as stream:
        event = await stream.next_fact()
    assert list(event) == ["id", "event", "data"]
    assert json.loads(event["data"]) == NEWER


@pytest.mark.parametrize(
    "type", ["a\nid: 9", "a\rdata: {}", "a\u2028b", "", "事实", 7, None, ["x"]]
)
async def test_a_type_that_could_break_the_stream_names_no_event(quick: Bench, type: Any) -> None:
    fact = NEWER | {"type": type}
    await stored(quick, json.dumps(fact))
    async with listening(quick, "HC") as stream:
        event = await stream.next_fact()
    assert list(event) == ["id", "data"]
    assert json.loads(event["data"]) == fact


@pytest.mark.parametrize("subject", [None, 7, "\u0000", "x' OR '1'='1", "长" * 300, {}])
async def test_a_subject_that_is_none_hides_nothing(dispatcher: Bench, subject: Any) -> None:
    await stored(dispatcher, json.dumps(NEWER | {"subject": subject}), "[]", "{}")
    assert len(json.loads(await raw(dispatcher))["items"]) == 3


# --- positions ---------------------------------------------------------------------------------


async def test_a_unit_sees_nothing_of_what_is_sent_to_others(dispatcher: Bench) -> None:
    """Whatever it asks, before and after: every answer is the same."""
    await delivered(dispatcher, warned(dispatcher, "HC"))

    async def seen() -> list[tuple[int, bytes]]:
        answers = []
        for query in ("", *(f"?after={after}" for after in range(6))):
            answer = await dispatcher.http("unit", "HC").get(f"/v1/units/HC/feed{query}")
            own = answer.json().get("items", answer.json().get("type"))
            answers.append((answer.status_code, json.dumps(own).encode()))
        return answers

    before = await seen()
    await delivered(dispatcher, *(warned(dispatcher, unit) for unit in ("GAJ", "MB", "GAJ")))
    assert await seen() == before
    assert [status for status, _ in before] == [200, 200, 200, 400, 400, 400, 400]
    await delivered(dispatcher, warned(dispatcher, "GAJ"), warned(dispatcher, "HC"))
    assert [item["position"] for item in (await page(dispatcher, "HC"))["items"]] == [1, 2]


async def test_a_unit_that_was_told_nothing_begins_at_one(dispatcher: Bench) -> None:
    await delivered(dispatcher, *(warned(dispatcher, "GAJ") for _ in range(3)))
    await delivered(dispatcher, warned(dispatcher, "HC"))
    assert [item["position"] for item in (await page(dispatcher, "HC"))["items"]] == [1]


NUMBER_AS_BEFORE = """
    UPDATE feed SET position = given.position
    FROM (SELECT id, (SELECT coalesce(max(position), 0) FROM feed) + row_number() OVER (ORDER BY id)
              AS position FROM feed WHERE position IS NULL) AS given
    WHERE feed.id = given.id"""


async def test_a_cursor_of_the_release_before_goes_on_where_it_was(dispatcher: Bench) -> None:
    """Its positions count over all units; both releases number side by side while they roll."""
    facts = [warned(dispatcher, unit) for unit in ("GAJ", "HC", "GAJ", "HC", "GAJ", "HC", "HC")]
    old, held = "", 0
    for turn, fact in enumerate(facts):
        await dispatcher.hear(fact)
        if turn in (0, 1, 2, 5):
            await dispatcher.do(NUMBER_AS_BEFORE)
        else:
            await dispatcher.run("number_feed")
        found = await page(dispatcher, "HC", after=held)
        old += "".join(f" {item['fact']['id']}" for item in found["items"])
        assert found["next"] >= held
        held = found["next"]
    assert old.split() == [str(fact.id) for fact in facts if fact.unit == "HC"]
    rows = await dispatcher.rows("SELECT unit, position FROM feed ORDER BY id")
    own = [row["position"] for row in rows if row["unit"] == "HC"]
    assert own == sorted(set(own))
    newest = max(row["position"] for row in rows)
    assert held <= newest  # or the release before would not know it


async def test_the_new_position_stands_behind_the_last_of_the_release_before(
    dispatcher: Bench,
) -> None:
    await dispatcher.hear(*(warned(dispatcher, unit) for unit in ("GAJ", "GAJ", "HC", "GAJ")))
    await dispatcher.do(NUMBER_AS_BEFORE)
    (last,) = (await page(dispatcher, "HC"))["items"]
    await delivered(dispatcher, warned(dispatcher, "GAJ"), warned(dispatcher, "HC"))
    (fresh,) = (await page(dispatcher, "HC", after=last["position"]))["items"]
    assert fresh["position"] == last["position"] + 1
