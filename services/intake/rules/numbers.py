"""受理编号: the numbers of a day. They never run out, and sort as they were given."""

from __future__ import annotations

from datetime import date

PLACES = 999_999  # a county takes some hundred complaints a day, Beijing 110,000


def compose_number(day: date, n: int) -> str:
    """The n-th number of a day, ``20261123-000001``; the day is the jurisdiction's, n from 1.

    What comes after 999,999 goes on behind it, ``20261123-999999000001``: whoever floods a day stops
    nobody, and a page of tickets in order of their numbers is one in order of registration still.
    """
    full, place = divmod(n - 1, PLACES)
    return f"{day:%Y%m%d}-{'999999' * full}{place + 1:06d}"
