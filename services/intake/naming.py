"""What callers call a code, brought to the code before anything else looks at a complaint."""

from __future__ import annotations

from typing import Any

from services.intake.schemas import NewTicket
from services.intake.settings import Config


def in_codes(body: NewTicket, config: Config) -> NewTicket:
    """A complaint with codes where its caller sent names or aliases. What nobody is called stays, for
    check_codes to refuse. Raises AmbiguousCode with the codes that a name may mean.
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
        if (given := getattr(body, field)) and (code := names.code(given, field)) != given
    }
    if body.reported and body.reported.units:
        meant = tuple(units.code(given, "reported.units") for given in body.reported.units)
        found["reported"] = body.reported.model_copy(update={"units": meant})
    return body.model_copy(update=found) if found else body
