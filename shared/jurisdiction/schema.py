"""Which keys a place in a configuration file may have. Pure."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel

from shared.jurisdiction.sections import Where


def allowed_at(model: type[BaseModel], where: Where) -> list[str]:
    """The keys that a model allows at a place in its file; none where anything may stand."""
    found: Any = model
    for step in where:
        below = _sections(found)
        fields = {key: field for each in below for key, field in _fields(each).items()}
        found = fields.get(str(step), found)
    return list(dict.fromkeys(key for each in _sections(found) for key in _fields(each)))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The models in a type: of its items, its values, its branches."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is None:
        return []
    return [model for inner in get_args(annotation) for model in _sections(inner)]
