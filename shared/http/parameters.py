"""Query parameters a route does not have are refused: a filter that is misspelt, or of another
release, would else answer everything, and nobody would notice.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.dependencies.models import Dependant

from shared.errors import Malformed

LIKELY = 50.0  # of 100: less like it is named as the nearest, and not suggested
SHOWN = 64  # letters of a name somebody sent: it may be as long as a head may be


class UnknownParameter(Malformed):
    """A query parameter this route does not have; ``allowed`` names those it has, ``nearest`` the one
    most like it.
    """

    slug = "unknown-parameter"
    title = "未知查询参数 Unknown query parameter"

    def __init__(self, name: str, allowed: list[str]) -> None:
        from rapidfuzz import process  # two megabytes that only a slip needs

        best, likeness, _ = process.extractOne(name, allowed) if allowed else (None, 0.0, 0)
        nearest = best if likeness else None
        unknown = f"未知查询参数 unknown query parameter {name[:SHOWN]!r}"
        hint = f"；是否指 did you mean {nearest}" if likeness >= LIKELY else ""
        super().__init__(
            f"{unknown}{hint}；可用 allowed: {', '.join(allowed) or '无 none'}",
            field=name[:SHOWN],
            parameter=name[:SHOWN],
            nearest=nearest,
            allowed=allowed,
        )


def check_parameters(request: Request) -> None:
    """Raises UnknownParameter for what the route of a request does not have."""
    if not request.scope["query_string"]:
        return
    allowed = parameters_of(request.scope["route"].dependant)
    for name in request.query_params:
        if name not in allowed:
            raise UnknownParameter(name, allowed)


def parameters_of(dependant: Dependant) -> list[str]:
    """The query parameters of a route and of whatever it depends on, each once."""
    own = [field.alias for field in dependant.query_params]
    below = [name for each in dependant.dependencies for name in parameters_of(each)]
    return list(dict.fromkeys(own + below))
