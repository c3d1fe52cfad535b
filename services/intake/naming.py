"""What callers call a code, brought to the code before anything else looks at a complaint."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from services.intake.settings import Config

B = TypeVar("B", bound=BaseModel)


def in_codes(body: B, config: Config) -> B:
    """A complaint, or a correction, with codes where its caller sent names or aliases. What nobody is
    called stays, for check_codes to refuse. Raises AmbiguousCode with the codes that a name may mean.
    """
    codes, units = config.codes, config.units.names
    tables = {
        "area": codes.area_names,
        "topic": codes.topic_names,
        "channel": codes.channel_names,
        "reported_unit": units,
    }
    found: dict[str, Any] = {
        field: code
        for field, names in tables.items()
        if (given := getattr(body, field, None)) and (code := names.code(given, field)) != given
    }
    reported = getattr(body, "reported", None)
    if reported and reported.units:
        meant = tuple(units.code(given, "reported.units") for given in reported.units)
        found["reported"] = reported.model_copy(update={"units": meant})
    return body.model_copy(update=found) if found else body
