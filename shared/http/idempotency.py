"""幂等键 Idempotency-Key: a request that is repeated is answered as the first time.

A route that obeys the key takes its act from ``acting_once`` and answers through ``once``; only
such routes name the header in their documents. Keys are the caller's own: two callers may use the
same one. A request that was refused leaves no trace, and its key may be used again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Row, text

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

FIRST = text("""
    INSERT INTO answers (caller, key, fingerprint, recorded)
    VALUES (:caller, :key, :fingerprint, :now) ON CONFLICT DO NOTHING RETURNING key""")

BEFORE = text("SELECT fingerprint, body, status FROM answers WHERE caller = :caller AND key = :key")

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
    values = {**mine, "fingerprint": _fingerprint(act, sent(body)), "now": clock.real()}
    if (await connection.execute(FIRST, values)).first() is None:
        before = (await connection.execute(BEFORE, mine)).one()
        if before.status is None:  # of the release before, which kept defaults and no status
            return _told_before(act, body, result, before)
        if before.fingerprint != values["fingerprint"]:
            raise KeyReused(field="Idempotency-Key")
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


def sent_before(body: BaseModel | None) -> list[str]:
    """What the release before made of a request: with every default it knew."""
    if body is None:
        return [""]
    unsent = {name for name in NEW_FIELDS if name not in body.model_fields_set}
    return [body.model_dump_json(), body.model_dump_json(exclude=unsent)]


# Optional fields of requests that the release before did not know (tests/contract/test_previous.py
# names what is missing here). A field stands here for one release.
NEW_FIELDS: frozenset[str] = frozenset()


def _fingerprint(act: Act[Any], content: str) -> str:
    target = act.asked.target if act.asked else ""
    return act.store.fingerprint(f"{target}\n{content}".encode())


def _told_before(act: Act[Any], body: BaseModel | None, result: type[T], before: Row[Any]) -> T:
    if before.fingerprint not in [_fingerprint(act, content) for content in sent_before(body)]:
        raise KeyReused(field="Idempotency-Key")
    return result.model_validate_json(before.body)
