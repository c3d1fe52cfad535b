"""What is asked when orders are handed down and taken back."""

from __future__ import annotations

from services.dispatcher.schemas import Code, Paragraph
from shared.http.fields import Body


class HandDown(Body):
    """二次派单: to which unit of one's own, and what it is to do; it reads this as the reason."""

    unit: Code
    reason: Paragraph


class TakeBack(Body):
    """收回交办: from which unit, and why; it reads this."""

    unit: Code
    reason: Paragraph
