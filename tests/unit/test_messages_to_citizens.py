"""The messages to citizens: their texts, who gets one, by which channel."""

from __future__ import annotations

from datetime import date

import pytest

from services.feedback.rules import messages
from shared.events import Occasion


@pytest.mark.parametrize("confidential", [True, False])
@pytest.mark.parametrize("occasion", messages.TEXTS)
def test_each_occasion_has_a_text_that_names_the_ticket_in_both_languages(
    occasion: messages.Text, confidential: bool
) -> None:
    number = "20260302-000001"
    details: messages.Details = {
        "unit": "红椿镇",
        "on": date(2026, 3, 20),
        "day": date(2026, 4, 30),
        "before": date(2026, 4, 1),
        "words": "红椿镇的单位已修好",
        "zh": "理由",
        "en": "why",
        "count": 2,
        "law": "《条例》",
        "article": "第三条",
    }
    words = messages.compose(occasion, number, confidential=confidential, **details)
    assert all(number in text and "{" not in text for text in words)


@pytest.mark.parametrize("occasion", messages.TEXTS)
def test_of_a_confidential_demand_the_words_are_neutral(occasion: messages.Text) -> None:
    """R-35: whoever holds the telephone learns neither who handles it nor what kind it is."""
    details: messages.Details = {
        "unit": "红椿镇",
        "on": date(2026, 3, 20),
        "day": date(2026, 4, 30),
        "before": date(2026, 4, 1),
        "words": "红椿镇的单位已修好",
        "zh": "理由",
        "en": "why",
    }
    words = messages.compose(occasion, "1", confidential=True, **details)
    assert "您反映的事项" in words.zh
    assert not any(tell in words.zh for tell in ("红椿镇", "诉求", "举报", "投诉", "单位"))


def test_a_day_stands_in_a_sentence_as_people_write_it() -> None:
    for occasion in ("put_off", "promise_moved"):
        for confidential in (True, False):
            words = messages.compose(
                occasion,
                "1",
                confidential=confidential,
                day=date(2027, 4, 30),
                before=date(2026, 12, 1),
                words="",
            )
            assert "承诺在2026年12月1日前" in words.zh or "承诺在2027年4月30日前" in words.zh
            assert "2027年4月30日前" in words.zh
            assert "30 April 2027" in words.en


def test_the_texts_name_the_unit_and_the_new_date() -> None:
    assert "红椿镇" in messages.compose("dispatched", "1", confidential=False, unit="红椿镇").zh
    assert (
        "2026-03-20"
        in messages.compose("extended", "1", confidential=False, on=date(2026, 3, 20)).en
    )


@pytest.mark.parametrize("occasion", messages.TEXTS)
def test_nobody_is_told_without_a_contact_and_who_declined_only_the_number(
    occasion: Occasion,
) -> None:
    assert messages.is_told(occasion, has_contact=True, reply_declined=False)
    assert not messages.is_told(occasion, has_contact=False, reply_declined=False)
    declined = messages.is_told(occasion, has_contact=True, reply_declined=True)
    assert declined == (occasion == "accepted")


@pytest.mark.parametrize(
    ("channel", "back"), [("phone", "sms"), ("sms", "sms"), ("wechat", "wechat"), ("city", "city")]
)
def test_an_answer_goes_out_on_the_channel_the_complaint_came_by(channel: str, back: str) -> None:
    assert messages.way_back(channel) == back
