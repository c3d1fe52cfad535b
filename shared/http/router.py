"""The routes of a service, each complete in itself.

An included router is searched twice by FastAPI at every request, and its routes are put together again
as it goes. So routers of ours are not included in one another: whatever holds for every route is theirs
from the start, and an app is given the routes themselves.
"""

from __future__ import annotations

from enum import Enum

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from shared.http.media import check_media
from shared.http.parameters import check_parameters
from shared.http.problems import problems


class Router(APIRouter):
    """Routes below a prefix. ``refusals``: problems any of them may answer with, beside those of
    every route.
    """

    def __init__(
        self,
        prefix: str = "",
        tags: list[str | Enum] | None = None,
        refusals: tuple[int, ...] = (401, 403, 415),
        include_in_schema: bool = True,
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=tags,
            dependencies=[Depends(well_formed)],
            responses=problems(400, 408, 413, 422, 429, 500, 503) | problems(*refusals),
            generate_unique_id_function=operation_id,
            include_in_schema=include_in_schema,
        )


async def well_formed(request: Request) -> None:
    """A dependency of every route. Raises UnknownParameter, OtherMedia."""
    check_parameters(request)
    check_media(request)


def operation_id(route: APIRoute) -> str:
    """Operations go by the names of their functions."""
    return route.name
