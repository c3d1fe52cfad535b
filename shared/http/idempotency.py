"""幂等键 Idempotency-Key: a request that is repeated is answered as the first time.

A route that obeys the key takes its act from ``acting_once`` and answers through ``once``; only
such routes name the header in their documents. Keys are the caller's own: two callers may use the
same one. A request that was refused leaves no trace, and its key may be used again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from shared import clock
from shared.caller import Caller
from shared.errors import KeyReused
from shared.http.auth import calling, open_act
from shared.storage.act import Act

T = TypeVar("T", bound=BaseModel)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description=(
            "幂等键：重发同一请求时用同一键，即得首次的答复 "
            "the same for every try of one request: a repeat gets the first answer"
        ),
    ),
]

# ``sent`` tells a repeat. ``fingerprint`` is the request as the release before spells it: its replicas
# answer repeats too, in a roll and after the way back, and what they wrote has nothing else.
FIRST = text("""
    INSERT INTO answers (caller, key, fingerprint, sent, recorded)
    VALUES (:caller, :key, :fingerprint, :sent, :now) ON CONFLICT DO NOTHING RETURNING key""")

BEFORE = text("""
    SELECT fingerprint, sent, body, status FROM answers WHERE caller = :caller AND key = :key""")

ANSWER = text("""
    UPDATE answers SET body = :body, status = :status WHERE caller = :caller AND key = :key""")


class AnsweredBefore(Exception):
    """The request was answered before, with these bytes; a door's handler gives them again."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("answered before")
        self.status, self.body = status, body


async def as_before(_: Request, answered: Exception) -> Response:
    """The first answer once more, for an app's handlers."""
    assert isinstance(answered, AnsweredBefore)
    return Response(answered.body, answered.status, media_type="application/json")


def acting_once(*roles: str) -> Callable[..., AsyncIterator[Act[Any]]]:
    """``acting`` for routes that obey the Idempotency-Key: they answer through ``once``."""

    async def act(
        request: Request,
        caller: Annotated[Caller, Depends(calling(*roles))],
        key: Key = None,
    ) -> AsyncIterator[Act[Any]]:
        async with open_act(request, caller, key) as opened:
            yield opened

    return act


async def once(
    act: Act[Any], body: BaseModel | None, result: type[T], do: Callable[[], Awaitable[T]]
) -> T:
    """Answer a request as the first time, when its Idempotency-Key was used before.

    The key is the caller's own, and kept as a keyed digest: some make it of a phone number. Without
    one the act is simply done. Two at once: the second waits for the first's commit.
    Raises KeyReused when the key came with another body or target, AnsweredBefore with the first
    answer, byte for byte: this release may answer more than the one that gave it.
    """
    if act.asked is None or act.asked.key is None:
        return await do()
    connection = await act.session.connection()
    mine = {"caller": act.actor, "key": act.store.fingerprint(act.asked.key.encode())}
    prints = {
        "fingerprint": _fingerprint(act, sent_before(body)),
        "sent": _fingerprint(act, sent(body)),
    }
    if (await connection.execute(FIRST, mine | prints | {"now": clock.real()})).first() is None:
        before = (await connection.execute(BEFORE, mine)).one()
        if not is_repeat(before, **prints):
            raise KeyReused(field="Idempotency-Key")
        if before.status is None:  # the release before kept none
            return result.model_validate_json(before.body)
        raise AnsweredBefore(before.status, before.body.encode())
    answer = await do()
    told = {"body": answer.model_dump_json(), "status": act.asked.status}
    await connection.execute(ANSWER, {**mine, **told})
    return answer


def sent(body: BaseModel | None) -> str:
    """What a client sent, and nothing that we add: an optional field that is new here is no other
    request.
    """
    return body.model_dump_json(exclude_unset=True) if body else ""


def sent_before(body: BaseModel | None) -> str:
    """The same as the release before spells it: with every default it knows."""
    return body.model_dump_json(exclude=unknown_before(body)) if body else ""


def unknown_before(body: BaseModel) -> set[str]:
    """Fields the client left out, and the release before does not know."""
    return set(NEW_FIELDS - body.model_fields_set)


def is_repeat(before: Any, fingerprint: str, sent: str) -> bool:
    """Whether a request is the one a row was written for, by whichever release."""
    return bool(before.sent == sent if before.sent else before.fingerprint == fingerprint)


# Optional fields of requests that the release before did not know (tests/contract/test_previous.py
# names what is missing here). A field stands here for one release.
NEW_FIELDS: frozenset[str] = frozenset()


def _fingerprint(act: Act[Any], content: str) -> str:
    target = act.asked.target if act.asked else ""
    return act.store.fingerprint(f"{target}\n{content}".encode())
