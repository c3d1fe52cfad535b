"""callbacks.yaml and feedback's settings: what is read, and which faults stop the start."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from services.feedback.rules.planning import Window
from services.feedback.rules.policy import CallbackPolicy
from services.feedback.schemas import OutcomeIn
from services.feedback.settings import Config, Settings
from shared.errors import ConfigError
from shared.events import CallbackAbout

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"


def load(folder: Path) -> Config:
    return Settings(embedded=True, config_dir=folder).load()


def test_ziyang_as_it_is_shipped() -> None:
    config = load(ZIYANG)
    times = config.times
    assert times.windows == (
        Window(time(9), time(11, 30)),
        Window(time(14, 30), time(17, 30)),
        Window(time(18, 30), time(20)),
    )
    assert (times.max_attempts, times.min_days, times.days_after) == (3, 2, 1)
    assert times.other_windows
    assert times.timezone.key == "Asia/Shanghai"
    assert times.is_working_day(date(2026, 3, 2))
    assert not times.is_working_day(date(2026, 10, 1))
    assert config.formula == "ziyang-2022"
    assert config.unit_names["HC"] == "红椿镇"
    assert config.outcome_within == timedelta(hours=4)


def test_the_questions_offer_the_answers_an_outcome_takes() -> None:
    questions = {question.id: question for question in load(ZIYANG).policy.questions}
    for name in ("contacted", "solved", "satisfied"):
        for answer in questions[name].answers:
            answers = {"contacted": "yes", "solved": "yes", "satisfied": "satisfied"}
            said = {"attempt": 1, "outcome": "answered"} | answers | {name: answer.code}
            assert getattr(OutcomeIn.model_validate(said), name) == answer.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the jurisdiction that may be broken."""
    return Path(shutil.copytree(ZIYANG, tmp_path / "ziyang"))


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def turn_a_window_round(content: dict[str, Any]) -> None:
    content["windows"][0] = {"from": "11:30", "to": "09:00"}


def let_windows_overlap(content: dict[str, Any]) -> None:
    content["windows"][1]["from"] = "11:00"


def close_all_windows(content: dict[str, Any]) -> None:
    content["windows"] = []


def ask_for_more_days_than_attempts(content: dict[str, Any]) -> None:
    content["attempts"]["min_days"] = 4


def drop_a_question(content: dict[str, Any]) -> None:
    del content["questions"][1]


def drop_an_answer(content: dict[str, Any]) -> None:
    del content["questions"][2]["answers"][3]


def do_not_ask_whether_it_was_kept(content: dict[str, Any]) -> None:
    del content["promise_questions"][0]


def ask_of_a_contact_after_the_day(content: dict[str, Any]) -> None:
    content["promise_questions"].append(deepcopy(content["questions"][0]))


def name_a_day_where_none_is(content: dict[str, Any]) -> None:
    content["questions"][0]["zh"] += "{day}"


def spare_somebody_unknown(content: dict[str, Any]) -> None:
    content["not_for"].append("anybody")


def misspell_a_field(content: dict[str, Any]) -> None:
    content["attempts"]["maximum"] = 3


def write_no_limit(content: dict[str, Any]) -> None:
    content["finish_within"] = "a week"


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (turn_a_window_round, "windows.0"),
        (let_windows_overlap, "windows"),
        (close_all_windows, "windows"),
        (ask_for_more_days_than_attempts, "attempts"),
        (drop_a_question, "questions"),
        (drop_an_answer, "questions.2"),
        (do_not_ask_whether_it_was_kept, "promise_questions: missing solved"),
        (ask_of_a_contact_after_the_day, "promise_questions: contacted"),
        (name_a_day_where_none_is, "{day}"),
        (spare_somebody_unknown, "not_for"),
        (misspell_a_field, "attempts.maximum"),
        (write_no_limit, "finish_within"),
    ],
)
def test_a_fault_in_callbacks_yaml_is_pointed_at(
    folder: Path, edit: Callable[[dict[str, Any]], None], field: str
) -> None:
    path = folder / "callbacks.yaml"
    change(path, edit)
    with pytest.raises(ConfigError) as fault:
        load(folder)
    [first, *_] = str(fault.value).splitlines()
    assert first.startswith(f"{path}:")
    assert field in first


def test_an_unknown_formula_is_refused(folder: Path) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["formula"] = "ziyang-1999"

    change(folder / "evaluation.yaml", edit)
    with pytest.raises(ConfigError, match=r"evaluation\.yaml.*formula"):
        load(folder)


def test_a_promised_day_stands_in_the_questions() -> None:
    content = yaml.safe_load((ZIYANG / "callbacks.yaml").read_text(encoding="utf-8"))
    policy = CallbackPolicy.model_validate(content)
    day = date(2027, 4, 30)
    for about, at in ((CallbackAbout.PUT_OFF, 1), (CallbackAbout.PROMISE, 0)):
        question = policy.questions_about(about, day)[at]
        assert question.id == "solved"
        assert "2027年4月30日" in question.zh
        assert "30 April 2027" in question.en
    assert policy.questions_about(CallbackAbout.BOTH, day) == policy.questions


def test_a_file_of_the_release_before_asks_of_promises_with_what_it_has() -> None:
    """Whether it waits is not asked then: "solved" keeps its meaning."""
    content = yaml.safe_load((ZIYANG / "callbacks.yaml").read_text(encoding="utf-8"))
    del content["put_off_questions"], content["promise_questions"]
    policy = CallbackPolicy.model_validate(content)
    about = policy.about_now(promise=False, promised=True, ended=False)
    assert about is CallbackAbout.ANSWER
    asked = policy.questions_about(CallbackAbout.PROMISE, None)
    assert [question.id for question in asked] == ["solved", "satisfied", "comment"]


@pytest.mark.parametrize(
    ("required", "facts", "expected"),
    [
        ([], {"report": True, "supervised": True, "redo": True}, False),
        (["report"], {"report": True, "supervised": False, "redo": False}, True),
        (["report"], {"report": False, "supervised": True, "redo": True}, False),
        (["supervised"], {"report": False, "supervised": True, "redo": False}, True),
        (["redo"], {"report": False, "supervised": False, "redo": True}, True),
        (["redo"], {"report": True, "supervised": True, "redo": False}, False),
    ],
)
def test_some_calls_are_made_by_a_person(
    required: list[str], facts: dict[str, bool], expected: bool
) -> None:
    content = yaml.safe_load((ZIYANG / "callbacks.yaml").read_text(encoding="utf-8"))
    policy = CallbackPolicy.model_validate(content | {"human_call_required_for": required})
    assert policy.needs_person(**facts) is expected


def test_a_phone_system_needs_feedbacks_own_token() -> None:
    with pytest.raises(ValidationError, match="JIESU_SERVICE_TOKEN"):
        Settings.model_validate({"embedded": True, "phone_system_url": "http://10.0.0.5/ask"})


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_address_is_no_phone_system(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    monkeypatch.setenv("JIESU_PHONE_SYSTEM_URL", empty)
    assert Settings(embedded=True).phone_system_url is None


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_SERVICE_TOKEN", "")
    assert Settings(embedded=True).service_token is None
    monkeypatch.setenv("JIESU_PHONE_SYSTEM_URL", "https://phone.example/ask")
    with pytest.raises(ValidationError, match="JIESU_SERVICE_TOKEN"):
        Settings(embedded=True)


@pytest.mark.parametrize("address", ["none", "phone.example/ask", "ftp://phone.example"])
def test_what_is_no_address_stops_the_start(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("JIESU_SERVICE_TOKEN", "token")
    monkeypatch.setenv("JIESU_PHONE_SYSTEM_URL", address)
    with pytest.raises(ValidationError, match="phone_system_url"):
        Settings(embedded=True)


def test_the_development_secret_is_for_the_embedded_mode_only() -> None:
    key = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I="
    with pytest.raises(ValidationError, match="JIESU_WEBHOOK_SECRET"):
        Settings.model_validate({"index_key": key})
    assert Settings.model_validate({"index_key": key, "webhook_secret": key})


def test_a_webhook_secret_is_a_key() -> None:
    with pytest.raises(ValidationError, match="webhook_secret"):
        Settings.model_validate({"embedded": True, "webhook_secret": "hunter2"})
