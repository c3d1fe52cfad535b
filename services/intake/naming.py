"""What callers call a code, brought to the code before anything else looks at a complaint."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from services.intake.settings import Config
from shared.errors import AmbiguousCode

B = TypeVar("B", bound=BaseModel)


def in_codes(body: B, config: Config) -> B:
    """A complaint, or a correction, with codes where its caller sent names or aliases. What nobody is
    called stays, for check_codes to refuse. Raises AmbiguousCode with the codes that a name may mean.
    """
    codes = config.codes
    tables = {
        "area": codes.area_names,
        "topic": codes.topic_names,
        "channel": codes.channel_names,
        "reported_unit": config.units.names,
    }
    found: dict[str, Any] = {}
    for field, names in tables.items():
        given = getattr(body, field, None)
        meant = names.codes(given) if given else ()
        if len(meant) > 1:
            raise AmbiguousCode(
                f"此名称对应多个代码，请改用代码 the name stands for several codes, send one of these: "
                f"{', '.join(meant)}",
                field=field,
                allowed=list(meant),
            )
        if meant and meant[0] != given:
            found[field] = meant[0]
    return body.model_copy(update=found) if found else body
