"""A refusal of one message is never taken for trouble of the link, whatever the broker answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aio_pika
import pytest

from shared.messaging.bus import BusTrouble, Message, Refused
from shared.messaging.rabbit_bus import RabbitBus
from shared.messaging.refusals import FAULTS, LONGEST, code_of, words_of
from tests.fixtures.listener import message
from tests.fixtures.odd_broker import WORDS, Answer, How, OddBroker, odd_broker

SOFT = [311, 313, 403, 404, 405, 406]
HARD = [320, 402, 501, 502, 503, 504, 505, 506, 530, 540, 541]
NOBODY_KNOWS = [299, 399, 599]
CLOSES: list[Answer] = [
    *(Answer("channel", code) for code in (*SOFT, *HARD, *NOBODY_KNOWS)),
    *(Answer("connection", code) for code in (200, *SOFT, *HARD, *NOBODY_KNOWS)),
]
OF_ONE_MESSAGE = {311, 312, 313, 403, 406, 501, 502, 505, 541, *NOBODY_KNOWS}
SINGLE: list[Answer] = [Answer("nack"), *(Answer("return", code) for code in (311, 312, 313, 403))]


def named(answer: Answer) -> str:
    return f"{answer.how}-{answer.code}"


@pytest.fixture
async def broker() -> AsyncIterator[OddBroker]:
    """A broker that answers as told."""
    async with odd_broker() as broker:
        yield broker


@pytest.fixture
async def bus(broker: OddBroker) -> AsyncIterator[RabbitBus]:
    """The bus on it."""
    bus = RabbitBus(broker.url, timeout=20)
    yield bus
    await bus.close()


@pytest.mark.parametrize("answer", CLOSES, ids=named)
@pytest.mark.parametrize("at", [0, 3])
async def test_in_a_batch_the_guilty_one_is_found_and_all_others_go_out(
    bus: RabbitBus, broker: OddBroker, answer: Answer, at: int
) -> None:
    batch = [message(f"a.{n}") for n in range(6)]
    broker.answers[batch[at].id] = answer
    if answer.code not in OF_ONE_MESSAGE:
        await the_link_failed(bus, broker, batch, at)
        return
    outcomes = await bus.publish(batch)
    refused = outcomes.pop(at)
    assert outcomes == [None] * 5
    assert isinstance(refused, Refused)
    assert str(refused).startswith(f"{answer.code} {WORDS}")
    assert {sent.id for sent in batch} - set(broker.confirmed) == {batch[at].id}
    assert broker.tried.count(batch[at].id) == 2  # in the batch, and once alone
    assert await bus.publish([message("a.later")]) == [None]


async def the_link_failed(bus: RabbitBus, broker: OddBroker, batch: list[Message], at: int) -> None:
    """Nothing is refused, nothing is tried alone, and what is heard again later goes out."""
    try:
        outcomes = await bus.publish(batch)
    except BusTrouble:
        outcomes = [BusTrouble()] * len(batch)
    assert isinstance(outcomes[at], BusTrouble)
    assert not any(isinstance(outcome, Refused) for outcome in outcomes)
    assert broker.tried.count(batch[at].id) == 1
    broker.answers.clear()
    assert await bus.publish(batch) == [None] * len(batch)


@pytest.mark.parametrize("answer", [*CLOSES, *SINGLE], ids=named)
async def test_alone_the_code_says_whose_fault_it_is(
    bus: RabbitBus, broker: OddBroker, answer: Answer
) -> None:
    sent = message("a.b")
    broker.answers[sent.id] = answer
    if answer.how == "nack" or answer.code in OF_ONE_MESSAGE:
        [refused] = await bus.publish([sent])
        assert isinstance(refused, Refused)
    else:
        with pytest.raises(BusTrouble, match=str(answer.code)):
            await bus.publish([sent])
    assert broker.tried == [sent.id]
    assert await bus.publish([message("a.c")]) == [None]


@pytest.mark.parametrize("answer", SINGLE, ids=named)
async def test_what_was_answered_for_itself_is_not_sent_again(
    bus: RabbitBus, broker: OddBroker, answer: Answer
) -> None:
    batch = [message(f"a.{n}") for n in range(4)]
    broker.answers[batch[1].id] = answer
    outcomes = await bus.publish(batch)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, True, False, False]
    assert broker.tried == [sent.id for sent in batch]


async def test_many_guilty_ones_are_all_found_in_one_pass(
    bus: RabbitBus, broker: OddBroker
) -> None:
    batch = [message(f"a.{n}") for n in range(40)]
    hows: list[How] = ["channel", "connection"]
    for n, sent in enumerate(batch[::2]):
        broker.answers[sent.id] = Answer(hows[n % 2], 541)
    outcomes = await bus.publish(batch)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [True, False] * 20
    assert max(broker.tried.count(sent.id) for sent in batch) <= 2


@pytest.mark.parametrize("at", [0, 3])
async def test_a_broken_socket_is_the_links_trouble(
    bus: RabbitBus, broker: OddBroker, at: int
) -> None:
    batch = [message(f"a.{n}") for n in range(5)]
    broker.answers[batch[at].id] = Answer("cut")
    await the_link_failed(bus, broker, batch, at)


async def test_one_that_cuts_the_link_when_it_is_alone_leaves_the_others_their_turn(
    bus: RabbitBus, broker: OddBroker
) -> None:
    batch = [message(f"a.{n}") for n in range(6)]
    broker.answers = {batch[0].id: Answer("channel", 406), batch[2].id: Answer("cut")}
    outcomes = await bus.publish(batch)
    assert isinstance(outcomes[0], Refused)
    assert isinstance(outcomes[2], BusTrouble)
    assert outcomes.count(None) == 4


async def test_the_pass_alone_ends_in_time(bus: RabbitBus, broker: OddBroker) -> None:
    """The relay holds a lock meanwhile: what did not get its turn is nobody's refusal."""
    bus._timeout = 0.0
    batch = [message(f"a.{n}") for n in range(3)]
    answers: list[Exception | None] = [None, BusTrouble(), BusTrouble()]
    await bus._one_by_one(batch, answers)
    assert broker.tried == []
    assert isinstance(answers[2], BusTrouble)


async def test_what_cannot_be_sent_at_all_is_refused_and_nothing_else(
    bus: RabbitBus, broker: OddBroker
) -> None:
    batch = [message("a.b"), message("k" * 300), message("a.c")]
    outcomes = await bus.publish(batch)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, True, False]
    assert len(broker.confirmed) == 2


def test_every_code_of_the_protocol_is_sorted() -> None:
    assert set(FAULTS) == {200, 312, *SOFT, *HARD}
    assert {code for code, fault in FAULTS.items() if fault.of_message} <= OF_ONE_MESSAGE


def test_an_error_without_a_code_has_none() -> None:
    for error in (aio_pika.exceptions.DuplicateConsumerTag("tag"), OSError(), BusTrouble("x")):
        assert code_of(error) is None


def test_what_is_kept_of_a_brokers_words_is_one_bounded_line() -> None:
    words = words_of(aio_pika.exceptions.ChannelPreconditionFailed("a\nb " * 1_000))
    assert words.startswith("406 a b a b")
    assert "\n" not in words
    assert len(words) == LONGEST
