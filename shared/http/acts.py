"""What callers ask is done once, and asks that meet share one ``Act``, one transaction (ADR 0037).

A route that changes something takes a ``Door`` from ``entering(*roles)`` and goes through it with its
use case; only such routes name the Idempotency-Key in their documents.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel

from shared.caller import Caller
from shared.errors import JiesuError
from shared.http.auth import calling
from shared.http.fields import Body
from shared.http.idempotency import Claim, Claims, Key
from shared.observability import log, trace, traceparent
from shared.storage.act import Act, Asked, Store
from shared.storage.group_commit import GroupCommit, PutOff

SHARE = 32  # asks in one transaction: it holds the locks of all their tickets

UseCase = Callable[[Act[Any], Any, Any], Awaitable[BaseModel]]


class Answer(NamedTuple):
    """An answer as it leaves, and as it is kept for repeats."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What one caller asks to be done to one target, on its way in."""

    use_case: UseCase
    target: Any
    body: BaseModel
    caller: Caller
    asked: Asked
    trace: str | None


class Door:
    """The way of one request to its use case; the transaction is opened for a group of them."""

    def __init__(self, request: Request, caller: Caller, key: str | None) -> None:
        self._request, self.caller, self._key = request, caller, key

    async def once(self, use_case: UseCase, target: Any, body: BaseModel) -> Response:
        """Do it, unless this request was answered before: then that answer, byte for byte.

        The one parameter in the route's path is what it is asked of, and names its kind: asks of
        the same kind of thing meet, and lock what they need in one statement. What makes a new thing
        has none, and is a kind of its own.

        Raises what the use case raises; KeyReused when the key came with another body or to another
        place; Busy when too many wait.
        """
        request = self._request
        status = getattr(request.scope.get("route"), "status_code", None) or 200
        asked = Asked(f"{request.method} {request.url.path}", self._key, status)
        ask = Ask(use_case, target, body, self.caller, asked, traceparent())
        [kind] = request.path_params or [request.url.path]
        answer = await acts_of(request.app).submit(kind, ask)
        return Response(answer.body, answer.status, media_type="application/json")


def entering(*roles: str) -> Callable[..., Awaitable[Door]]:
    """A dependency that gives the door of a caller with one of these roles."""

    async def opened(
        request: Request, caller: Annotated[Caller, Depends(calling(*roles))], key: Key = None
    ) -> Door:
        return Door(request, caller, key)

    return opened


class NoneDone(Exception):
    """Every ask of a group was refused: what it claimed and locked is let go."""

    def __init__(self, answers: Sequence[Answer | Exception]) -> None:
        super().__init__("every ask was refused")
        self.answers = answers


class Acts:
    """What is asked of one service at the moment, grouped by the kind of thing it is asked of."""

    def __init__(self, store: Store[Any]) -> None:
        self._store = store
        self._groups: dict[str, GroupCommit[Ask, Answer]] = {}

    async def submit(self, kind: str, ask: Ask) -> Answer:
        """Wait for the commit that holds this ask; raises what it was refused for."""
        if kind not in self._groups:
            self._groups[kind] = GroupCommit(self._run, SHARE, most=1_000)
        return await self._groups[kind].submit(ask)

    async def _run(self, asks: Sequence[Ask]) -> Sequence[Answer | Exception]:
        """One transaction: claim the keys, decide one by one, write all together."""
        claims = Claims([self._claim(ask) for ask in asks])
        try:
            async with self._store.act(f"service:{self._store.name}") as act:
                connection = await act.session.connection()
                await claims.make(connection)
                group = _Group(act, asks, claims)
                answers = [await group.answer(at) for at in range(len(asks))]
                if all(isinstance(answer, Exception) for answer in answers):
                    raise NoneDone(answers)
                await claims.write(connection)
                return answers
        except NoneDone as nothing:
            return nothing.answers

    def _claim(self, ask: Ask) -> Claim | None:
        asked, digest = ask.asked, self._store.fingerprint
        return Claim.of(ask.caller.actor, asked.key, asked.target, ask.body, digest)


class _Group:
    """Asks that share a transaction, each under its own caller and trace.

    A refused one is decided before it changes anything; if one ever is not, the whole group is run
    again, one by one. A record stands in a group once, because a use case that queries the database
    would not see what its neighbour has not saved yet; the second waits for the next group.
    """

    def __init__(self, act: Act[Any], asks: Sequence[Ask], claims: Claims) -> None:
        self._act, self._asks, self._claims = act, asks, claims
        self._changed: set[int] = set()  # records, by identity
        act.targets.extend(ask.target for at, ask in enumerate(asks) if self._is_new(at))

    def _is_new(self, at: int) -> bool:
        try:
            return self._claims.before(at) is None
        except JiesuError:
            return False

    def _record(self, ask: Ask) -> int:
        """Which record an ask is about, by identity; one of its own until that is loaded."""
        return id(self._act.locked.get(ask.target) or ask)

    async def answer(self, at: int) -> Answer | Exception:
        """Do one, or answer it as before, or say why not."""
        act, ask, said = self._act, self._asks[at], len(self._act.told)
        try:
            if kept := self._claims.before(at):
                return Answer(kept.status or ask.asked.status, kept.body)
            if self._record(ask) in self._changed:
                return PutOff()
            # Rows, locks and what is told are shared with the group; only who acts is not.
            mine = replace(act, actor=ask.caller.actor, caller=ask.caller, asked=ask.asked)
            with trace(ask.trace):
                done = await ask.use_case(mine, ask.target, _masked(ask.body, act.config))
        except JiesuError as refused:
            if len(self._asks) > 1 and (act.rows.collect() or len(act.told) != said):
                log.error("refused after it had begun", use_case=ask.use_case.__name__)
                raise AssertionError(f"{ask.use_case} was refused after it had begun") from refused
            return refused
        act.rows.collect()
        self._changed.add(self._record(ask))
        answer = Answer(ask.asked.status, done.model_dump_json())
        self._claims.note(at, *answer)
        return answer


def _masked(body: BaseModel, config: Any) -> BaseModel:
    """A body as it may be kept and told; of a service that reads no units no telephone is known."""
    return body.masked(getattr(config, "telephones", ())) if isinstance(body, Body) else body


def acts_of(app: FastAPI) -> Acts:
    """Where what is asked of a service's app goes in."""
    acts: Acts = app.state.acts
    return acts
