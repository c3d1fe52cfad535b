"""What is asked of who works on an order: handed down, taken back, another person."""

from __future__ import annotations

from services.dispatcher.schemas import Account, Code, Paragraph, Phrase
from shared.http.fields import Body


class HandDown(Body):
    """二次派单: to which unit of one's own, and what it is to do; it reads this as the reason."""

    unit: Code
    reason: Paragraph


class TakeBack(Body):
    """收回交办: from which unit, and why; it reads this."""

    unit: Code
    reason: Paragraph


class NewHandler(Body):
    """换经办人: who handles it from now on, and why. ``handler_account``: as at signing."""

    handler: Phrase
    handler_account: Account | None = None
    reason: Paragraph
