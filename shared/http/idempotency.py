"""幂等键 Idempotency-Key: a request that is repeated is answered as the first time.

A route that obeys the key takes its act from ``acting_once`` and answers through ``once``; only
such routes name the header in their documents. Keys are the caller's own: two callers may use the
same one. A request that was refused leaves no trace, and its key may be used again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
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

FIRST = text("""
    INSERT INTO answers (caller, key, fingerprint, recorded)
    VALUES (:caller, :key, :fingerprint, :now) ON CONFLICT DO NOTHING RETURNING key""")

BEFORE = text("SELECT fingerprint, body FROM answers WHERE caller = :caller AND key = :key")

ANSWER = text("UPDATE answers SET body = :body WHERE caller = :caller AND key = :key")


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
    Raises KeyReused when the key came with another body or target.
    """
    if act.asked is None or act.asked.key is None:
        return await do()
    connection = await act.session.connection()
    mine = {"caller": act.actor, "key": act.store.fingerprint(act.asked.key.encode())}
    content = f"{act.asked.target}\n{body.model_dump_json() if body else ''}"
    fingerprint = act.store.fingerprint(content.encode())
    values = {**mine, "fingerprint": fingerprint, "now": clock.real()}
    if (await connection.execute(FIRST, values)).first() is None:
        before = (await connection.execute(BEFORE, mine)).one()
        if before.fingerprint != fingerprint:
            raise KeyReused(field="Idempotency-Key")
        return result.model_validate_json(before.body)
    answer = await do()
    await connection.execute(ANSWER, {**mine, "body": answer.model_dump_json()})
    return answer
