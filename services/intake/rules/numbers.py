"""受理编号: the numbers of a day."""

from __future__ import annotations

from datetime import date

from shared.errors import JiesuError

NUMBERS_PER_DAY = 999_999


class NumbersExhausted(JiesuError):
    """A day has no more ticket numbers."""

    status = 503
    slug = "numbers-exhausted"
    title = "当日编号已用完 The ticket numbers of this day are used up"


def compose_number(day: date, n: int) -> str:
    """The n-th number of a day, ``20261123-000001``; the day is the jurisdiction's, n from 1.

    Raises NumbersExhausted past 999,999.
    """
    if n > NUMBERS_PER_DAY:
        raise NumbersExhausted
    return f"{day:%Y%m%d}-{n:06d}"
