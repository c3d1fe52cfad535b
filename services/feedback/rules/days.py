"""A day as people write and say it in a sentence; calendars and codes keep YYYY-MM-DD. Pure."""

from __future__ import annotations

from datetime import date

from services.feedback.rules.machine import Bilingual

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def in_words(day: date) -> Bilingual:
    """``2027年4月30日`` and ``30 April 2027``, whatever the machine's locale."""
    return Bilingual(
        f"{day.year}年{day.month}月{day.day}日", f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    )
