"""What is asked of who works on an order: handed down, taken back, another person."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from services.dispatcher.schemas import Account, Code, Paragraph, Phrase
from shared.http.fields import Body

LongLimit = Annotated[str, Field(pattern=r"^[1-9]\d{0,2}wd$|^[1-9]\d{0,3}h$", max_length=5)]


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


class Withdrawal(Body):
    """撤回法定时限: why it is not that law's matter after all, which the units read."""

    reason: Paragraph


class NameLaw(Body):
    """法定时限: a row of the county's table of laws, or else the law, its article and the limit it sets;
    ``reason``: why it is that law's matter, which the units read.
    """

    statute: Code | None = None
    law: Phrase | None = None
    article: Phrase | None = None
    limit: LongLimit | None = None
    reason: Paragraph

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        written = (self.law, self.article, self.limit)
        if (self.statute is None) != all(written) or (self.statute and any(written)):
            raise ValueError(
                "须给出 statute，或者 law、article、limit 三项 either `statute`, or law, article and limit"
            )
        return self
