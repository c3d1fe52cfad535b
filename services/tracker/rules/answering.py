"""督办回复: what a unit answers to a supervision, and how a supervisor rules on it (R-30, ADR 0066)."""

from __future__ import annotations

from datetime import datetime

from shared.errors import JiesuError


class SupervisionStands(JiesuError):
    """One rung presses an order once at a time; ``supervision`` is the one that stands."""

    status = 409
    slug = "supervision-stands"
    title = "该派单已有同级督办，尚未解除 The same rung stands on this order already"

    def __init__(self, supervision: str, title: str, raised_at: datetime) -> None:
        super().__init__(
            f"{title}，编号 {supervision}，发起于 raised at {raised_at.isoformat()}",
            supervision=supervision,
        )
