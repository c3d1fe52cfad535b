"""What is asked when another person handles an order."""

from __future__ import annotations

from services.dispatcher.schemas import Account, Paragraph, Phrase
from shared.http.fields import Body


class NewHandler(Body):
    """换经办人: who handles it from now on, and why. ``handler_account``: as at signing."""

    handler: Phrase
    handler_account: Account | None = None
    reason: Paragraph
