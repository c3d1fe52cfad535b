"""The doors' dependencies: who calls, and the act a caller's request is."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase

from shared.caller import Caller
from shared.errors import Forbidden
from shared.http.rate_limits import caller_of
from shared.jurisdiction.codes import Units
from shared.jurisdiction.succession import Dissolved, acts_as
from shared.labels import ROLES, label, labels
from shared.service import service_of
from shared.storage.act import Act, Asked

bearer = HTTPBearer(auto_error=False, description="令牌 token: role, and unit for a unit")


class CallerOf(SecurityBase):
    """A dependency that documents by itself that a token is needed: FastAPI solves none below it,
    for RequestLimits has read the header already.
    """

    model, scheme_name = bearer.model, bearer.scheme_name

    def __init__(self, roles: tuple[str, ...]) -> None:
        self._roles = roles

    async def __call__(self, request: Request) -> Caller:
        """Who calls. Raises what refused the token, Unauthenticated when there is none, Forbidden."""
        known = caller_of(request)
        if known.unit:
            store = service_of(request.app).store
            known = replace(known, unit=today(known.unit, store.dissolved))
            check_unit(known.unit or "", store.config)
        if known.role not in self._roles:
            needed, theirs = ", ".join(self._roles), label(known.role, ROLES)
            raise Forbidden(
                f"需要角色：{labels(self._roles, ROLES)}；您的角色是{theirs}。needed: {needed}",
                role=known.role,
            )
        return known


def calling(*roles: str) -> CallerOf:
    """A dependency that gives the caller, when the token's role is one of these."""
    return CallerOf(roles)


def today(unit: str, dissolved: Mapping[str, Dissolved]) -> str:
    """As whom a unit's token acts: after a merger or a new name as the successor, until it expires, for
    nobody can exchange every token in one night. Raises Forbidden after a split: as whom, nobody can say.
    """
    now = acts_as(unit, dissolved)
    if len(now) == 1:
        return now[0]
    raise Forbidden(
        f"{unit} 已分设，请使用承接单位 {'、'.join(now)} 的令牌 {unit} was split: use a token of "
        f"{' or '.join(now)}, who follow it",
        allowed=list(now),
    )


def check_unit(code: str, config: Any) -> None:
    """A unit that was taken out of units.yaml is nobody any more, however long its token lives;
    its orders wait for the desk. Raises Forbidden.
    """
    units: Units | None = getattr(config, "units", None)  # some services know no units
    if units is not None and units.unit(code) is None:
        raise Forbidden("单位已不在 units.yaml 中 The unit stands in units.yaml no more")


def acting(*roles: str) -> Callable[..., AsyncIterator[Act[Any]]]:
    """A dependency that gives the act of a caller with one of these roles.

    Use it with ``scope="function"``: it commits before the response leaves, so a failing commit
    is an error to the caller and never a success that did not happen. Routes that obey an
    Idempotency-Key take a door (shared/http/acts.py).
    """

    async def act(
        request: Request, caller: Annotated[Caller, Depends(calling(*roles))]
    ) -> AsyncIterator[Act[Any]]:
        async with open_act(request, caller) as opened:
            yield opened

    return act


def open_act(request: Request, caller: Caller) -> AbstractAsyncContextManager[Act[Any]]:
    """The act a request is, while the block lasts."""
    asked = Asked(f"{request.method} {request.url.path}", None)
    return service_of(request.app).store.act(caller.actor, caller=caller, asked=asked)
