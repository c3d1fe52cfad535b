"""What callers call a code, brought to the code before anything else looks at a complaint."""

from __future__ import annotations

from services.intake.schemas import NewTicket
from services.intake.settings import Config


def in_codes(body: NewTicket, config: Config) -> NewTicket:
    """A complaint with codes where its caller sent names or aliases. What nobody is called stays, for
    check_codes to refuse. Raises AmbiguousCode with the codes that a name may mean.
    """
    codes = config.codes
    tables = {
        "area": codes.area_names,
        "topic": codes.topic_names,
        "channel": codes.channel_names,
        "reported_unit": config.units.names,
    }
    found = {
        field: code
        for field, names in tables.items()
        if (given := getattr(body, field)) and (code := names.code(given, field)) != given
    }
    return body.model_copy(update=found) if found else body
