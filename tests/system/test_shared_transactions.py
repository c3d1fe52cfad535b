"""Acts that meet share a transaction (ADR 0037): each has its own answer, and pays for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatcher import schemas, usecases
from shared.caller import Caller
from shared.clock import pause
from shared.errors import Busy, KeyReused, MoveRefused, NotFound
from shared.http.acts import Answer, Ask, UseCase, acts_of
from shared.observability import new_traceparent
from shared.storage import act as storage
from shared.storage.act import Act, Asked, InDoubt
from shared.storage.group_commit import HANGS, GroupCommit
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import STREET_LIGHT, names, register, statuses

UNIT = Caller(role="unit", name="test", unit=STREET_LIGHT)


def number(n: int) -> str:
    """The number of one of several tickets."""
    return f"20260302-{n:06d}"


async def given(dispatcher: Bench, count: int) -> list[UUID]:
    """As many tickets, each with an assignment of one unit."""
    return [
        (await register(dispatcher, number=number(n)))[STREET_LIGHT] for n in range(1, count + 1)
    ]


def signing(
    assignment: UUID,
    key: str | None = None,
    handler: str = "张三",
    use_case: UseCase = usecases.sign,
    caller: Caller = UNIT,
) -> Ask:
    """What a unit asks for when it signs."""
    asked = Asked(f"POST /v1/assignments/{assignment}/sign", key)
    body = schemas.Sign(handler=handler)
    return Ask(use_case, assignment, body, caller, asked, new_traceparent())


async def together(dispatcher: Bench, *asks: Ask) -> list[Answer | BaseException]:
    """Ask for all of it at the same moment: it is one group."""
    acts = acts_of(dispatcher.app)
    submitted = (acts.submit("assignment", ask) for ask in asks)
    return await asyncio.gather(*submitted, return_exceptions=True)


async def test_acts_that_meet_share_a_commit(dispatcher: Bench) -> None:
    assignments = await given(dispatcher, 8)
    before = dispatcher.service.store.acts
    answers = await together(dispatcher, *(signing(id) for id in assignments))
    assert [answer.status for answer in answers if isinstance(answer, Answer)] == [200] * 8
    assert dispatcher.service.store.acts == before + 2  # one that began and ended
    signed = await dispatcher.told("assignment.signed")
    assert {fact.assignment for fact in signed} == set(assignments)
    assert len({fact.traceparent for fact in signed}) == 8
    assert {fact.actor for fact in signed} == {UNIT.actor}


async def test_each_of_a_group_gets_its_own_true_answer(dispatcher: Bench) -> None:
    one, two, three = await given(dispatcher, 3)
    [first] = await together(dispatcher, signing(one, "again"))
    answers = await together(
        dispatcher,
        signing(one, "again"),  # was answered before
        signing(one, "again", handler="李四"),  # the key came with another body
        signing(one),  # is signed already
        signing(uuid4()),  # there is none
        signing(two, caller=Caller(role="unit", name="test", unit="HC")),  # not this unit's
        signing(two, "new"),
        signing(two, "new"),  # the same within the group
        signing(three),
    )
    assert answers[0] == first
    assert isinstance(answers[1], KeyReused)
    assert isinstance(answers[2], MoveRefused)
    assert isinstance(answers[3], NotFound)
    assert isinstance(answers[4], NotFound)
    assert answers[5] == answers[6]
    assert isinstance(answers[5], Answer)
    assert isinstance(answers[7], Answer)
    assert (await names(dispatcher)).count("assignment.signed") == 3
    kept = await dispatcher.rows("SELECT key FROM answers")
    assert len(kept) == 2  # what was refused left no trace


async def test_a_refused_key_may_be_used_again_and_in_the_same_group(dispatcher: Bench) -> None:
    one, two = await given(dispatcher, 2)
    answers = await together(dispatcher, signing(uuid4(), "key"), signing(one, "key"), signing(two))
    assert isinstance(answers[0], NotFound)
    assert isinstance(answers[1], Answer)
    [again] = await together(dispatcher, signing(one, "key"))
    assert again == answers[1]


async def test_when_all_are_refused_nothing_is_written(dispatcher: Bench) -> None:
    answers = await together(dispatcher, signing(uuid4(), "a"), signing(uuid4(), "b"))
    assert all(isinstance(answer, NotFound) for answer in answers)
    assert await dispatcher.rows("SELECT 1 FROM answers") == []


async def test_a_ticket_stands_in_a_group_once(dispatcher: Bench) -> None:
    [one] = await given(dispatcher, 1)
    before = dispatcher.service.store.acts
    note = schemas.Progress(note="已到场")
    asked = Asked(f"POST /v1/assignments/{one}/progress", None)
    progress = Ask(usecases.progress, one, note, UNIT, asked, new_traceparent())
    answers = await together(dispatcher, signing(one), progress, progress)
    assert [type(answer) for answer in answers] == [Answer] * 3
    assert dispatcher.service.store.acts == before + 6  # three that began and ended
    told = await names(dispatcher)
    assert told[-3:] == ["assignment.signed", "assignment.progressed", "assignment.progressed"]


async def test_who_gave_up_waiting_holds_nobody_up(dispatcher: Bench) -> None:
    one, two = await given(dispatcher, 2)
    acts = acts_of(dispatcher.app)
    gone = asyncio.create_task(acts.submit("assignment", signing(one)))
    stays = asyncio.create_task(acts.submit("assignment", signing(two)))
    await pause(0)
    gone.cancel()
    assert isinstance(await stays, Answer)
    assert {status for _, _, status in await statuses(dispatcher, number(2))} == {"signed"}


async def test_a_commit_in_doubt_is_in_doubt_for_all_of_its_group(
    dispatcher: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await given(dispatcher, 2)
    commit = storage._commit

    async def lost(session: AsyncSession) -> None:
        await commit(session)
        raise InDoubt

    with monkeypatch.context() as away:
        away.setattr(storage, "_commit", lost)
        answers = await together(dispatcher, signing(one, "one"), signing(two, "two"))
    assert [type(answer) for answer in answers] == [InDoubt, InDoubt]
    answers = await together(dispatcher, signing(one, "one"), signing(two, "two"))
    assert all(isinstance(answer, Answer) for answer in answers)
    assert (await names(dispatcher)).count("assignment.signed") == 2


def untidy(stumble: Exception) -> UseCase:
    """A use case that changes something, and only then stumbles."""

    async def use_case(act: Act[Any], id: UUID, body: Any) -> BaseModel:
        await usecases.sign(act, id, body)
        raise stumble

    return use_case


@pytest.mark.parametrize("stumble", [NotFound(), RuntimeError("poison")])
async def test_an_act_that_stumbles_half_way_undoes_no_neighbour(
    dispatcher: Bench, stumble: Exception
) -> None:
    one, two, three = await given(dispatcher, 3)
    answers = await together(
        dispatcher, signing(one), signing(two, use_case=untidy(stumble)), signing(three)
    )
    assert answers[1] is stumble
    assert isinstance(answers[0], Answer)
    assert isinstance(answers[2], Answer)
    found = [(await statuses(dispatcher, number(n)))[0][2] for n in (1, 2, 3)]
    assert found == ["signed", "dispatched", "signed"]


# --- the queue before it -----------------------------------------------------------------------


async def test_a_group_that_hangs_holds_the_next_one_up_only_for_a_moment() -> None:
    freed = asyncio.Event()

    async def run(items: Sequence[str]) -> Sequence[str | Exception]:
        if "hangs" in items:
            await freed.wait()
        return items

    group = GroupCommit[str, str](run)
    hangs = asyncio.create_task(group.submit("hangs"))
    await pause(0)
    assert await asyncio.wait_for(group.submit("goes"), HANGS * 20) == "goes"
    assert not hangs.done()
    freed.set()
    assert await hangs == "hangs"


@pytest.fixture
def full() -> Callable[[], GroupCommit[int, int]]:
    """A group commit that takes two who wait."""

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        await pause(0.01)
        return items

    return lambda: GroupCommit[int, int](run, limit=1, most=2)


async def test_who_comes_when_too_many_wait_is_told_so_at_once(
    full: Callable[[], GroupCommit[int, int]],
) -> None:
    group = full()
    answers = await asyncio.gather(*map(group.submit, range(5)), return_exceptions=True)
    assert answers[:2] == [0, 1]
    assert [type(answer) for answer in answers[2:]] == [Busy] * 3
