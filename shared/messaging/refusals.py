"""Whose fault it is that something was not published: one message's, or the link's.

What is taken for the link's trouble is tried again as it is, for ever, and everything behind it
waits; what is one message's is put off alone. So a code that a message can cause counts as the
message's once that message was refused alone, and so does a code nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import aio_pika
from aiormq import channel, connection
from aiormq.exceptions import ChannelClosed, ConnectionClosed, DeliveryError

from shared.messaging.bus import BusTrouble
from shared.observability import place

LONGEST = 300  # letters of what a broker said that are kept


class Fault(NamedTuple):
    """Whether one message can cause a code, and why."""

    of_message: bool
    why: str


MESSAGE, LINK = True, False
# Every reply code of AMQP 0-9-1, whether it closes a channel, a connection, or returns a message.
FAULTS: Mapping[int, Fault] = {
    200: Fault(LINK, "the other side said goodbye: a shutdown, or somebody between"),
    311: Fault(MESSAGE, "content too large"),
    312: Fault(MESSAGE, "no route: no queue wants this key, and nothing keeps it aside"),
    313: Fault(MESSAGE, "no consumer for this key now"),
    320: Fault(LINK, "closed by an operator, at a shutdown, or because its user was removed"),
    402: Fault(LINK, "there is no such virtual host"),
    403: Fault(MESSAGE, "this user may not say this key"),
    404: Fault(LINK, "the exchange is not there: every message goes to the same one"),
    405: Fault(LINK, "a queue is another connection's; a message names no queue"),
    406: Fault(MESSAGE, "a property or the size of this message; RabbitMQ says so of its limit"),
    501: Fault(MESSAGE, "a frame that cannot be read: a header may be too large for one"),
    502: Fault(MESSAGE, "a field with an illegal value: the key or a property"),
    503: Fault(LINK, "frames in a wrong order: they are the same for every message"),
    504: Fault(LINK, "a channel that is not open: what still flew after another refusal"),
    505: Fault(MESSAGE, "a header and a body that do not fit together"),
    506: Fault(LINK, "too many connections, channels or queues"),
    530: Fault(LINK, "the virtual host or its limits do not allow this connection"),
    540: Fault(LINK, "a feature the broker lacks: it is asked the same of for every message"),
    541: Fault(MESSAGE, "the broker failed inside: it may stumble over this message alone"),
}
UNKNOWN = Fault(MESSAGE, "a code we do not know; the link's would stop everything")
NOT_CONFIRMED = Fault(MESSAGE, "basic.nack: a queue this key goes to does not take it")

# aiormq keeps the codes it knows as classes, and others as the first argument.
CODES: Mapping[type[Exception], int] = {
    kind: code
    for known in (channel.EXCEPTION_MAPPING, connection.EXCEPTION_MAPPING)
    for code, kind in known.items()
}


def code_of(error: Exception) -> int | None:
    """The reply code a broker gave; None for a broken socket, and where it gave none."""
    if isinstance(error, DeliveryError):
        return getattr(error.frame, "reply_code", None)
    if isinstance(error, (ChannelClosed, ConnectionClosed)):
        said = error.args[0] if error.args else None
        return CODES.get(type(error), said if isinstance(said, int) else None)
    return None


def fault_of(error: Exception) -> Fault | None:
    """Whose fault an answer of the broker is; None when the broker gave no answer."""
    code = code_of(error)
    if code is not None:
        return FAULTS.get(code, UNKNOWN)
    return NOT_CONFIRMED if isinstance(error, DeliveryError) else None


def words_of(error: Exception) -> str:
    """What the broker said, in one bounded line: its code, its words, what the code means. It names
    keys, sizes and limits, and nothing of what a message holds. Else where the error was raised.
    """
    fault = fault_of(error)
    if fault is None:
        return place(error)
    frame = error.frame if isinstance(error, DeliveryError) else None
    words = getattr(frame, "reply_text", "") or (error.args[-1] if frame is None else "")
    line = " ".join(f"{code_of(error) or ''} {words or ''} ({fault.why})".split())
    return line[:LONGEST]


# What a lost link looks like. Of aio-pika: RuntimeError on a connection that was lost a moment ago,
# StopAsyncIteration where somebody accepts a connection and closes it without a word.
CUT = (
    OSError, TimeoutError, RuntimeError, StopAsyncIteration, aio_pika.exceptions.AMQPError, BusTrouble,
)  # fmt: skip


def is_cut(error: object) -> bool:
    """Whether a message was not answered, because its channel or the whole link went."""
    return isinstance(error, CUT) and not isinstance(error, DeliveryError)


def is_refusal(error: Exception) -> bool:
    """Whether an error is one message's, if that one was alone. So is what no broken link looks
    like, such as a key that is too long to be sent.
    """
    fault = fault_of(error)
    return fault.of_message if fault else not is_cut(error)


def left_in_doubt(error: object) -> bool:
    """Whether the broker closed under several messages for what one of them may have caused."""
    return isinstance(error, Exception) and is_cut(error) and is_refusal(error)
