"""A text reports a danger, or only holds a word for one (BJ-11, SH-YP; ADR 0051).

tests/data/dangers.csv is written for the purpose, names and all: half of it reports a danger or may,
half of it are traps.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.dispatcher.settings import Settings as Dispatcher
from services.intake.settings import Settings as Intake
from shared.errors import ConfigError
from shared.events import TicketType, Urgency
from shared.jurisdiction.reader import read
from shared.jurisdiction.urgency import UrgencyRules
from shared.jurisdiction.wording import Cue, text_of

ROOT = Path(__file__).parents[2]
ZIYANG = ROOT / "config" / "ziyang"
SENTENCES = ROOT / "tests" / "data" / "dangers.csv"
RULES = read(ZIYANG / "urgency.yaml", UrgencyRules)

Judged = list[tuple[str, str]]  # what a sentence reports, and what is said of it


def said(text: str, kind: str = "help", rules: UrgencyRules = RULES) -> str:
    """The danger a text reports for certain; doubt, or none."""
    alarms = rules.alarms(TicketType(kind), text_of("", text))
    if not alarms:
        return "none"
    return alarms[0].danger.id if alarms[0].certain else "doubt"


@pytest.fixture(scope="module")
def judged() -> Judged:
    with SENTENCES.open(encoding="utf-8", newline="") as lines:
        return [(row["reports"], said(row["text"], row["type"])) for row in csv.DictReader(lines)]


# --- the sentences -----------------------------------------------------------------------------


def test_half_of_the_sentences_are_traps(judged: Judged) -> None:
    traps = [truth for truth, _ in judged if truth == "none"]
    assert len(judged) >= 200
    assert 0.45 <= len(traps) / len(judged) <= 0.55


def test_no_danger_passes_in_silence(judged: Judged) -> None:
    """What is not certain is a person's at once; nothing that reports a danger is as any other."""
    assert not [truth for truth, found in judged if truth != "none" and found == "none"]


def test_what_is_certain_is_so(judged: Judged) -> None:
    certain = [(truth, found) for truth, found in judged if found not in ("none", "doubt")]
    right = sum(truth == found for truth, found in certain)
    dangers = sum(truth not in ("none", "doubt") for truth, _ in judged)
    assert right / len(certain) >= 0.95  # precision
    assert right / dangers >= 0.86  # recall; of the rest a person decides


def test_hardly_a_trap_costs_a_look_and_next_to_none_a_unit(judged: Judged) -> None:
    traps = [found for truth, found in judged if truth == "none"]
    assert traps.count("none") / len(traps) >= 0.87
    certain = [found for found in traps if found not in ("none", "doubt")]
    assert len(certain) / len(traps) <= 0.03


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("希望减轻生活负担", "help", "none"),
        ("信息大爆炸的时代", "suggestion", "none"),
        ("打跳楼价甩卖", "complaint", "none"),
        ("资金被困", "complaint", "none"),
        ("去年吊顶坍塌过", "complaint", "none"),
        ("没有燃气泄漏", "help", "none"),
        ("燃气泄漏报警器的电池怎么换", "consultation", "none"),
        ("困在电梯里", "help", "trapped"),
        ("电梯困人", "help", "trapped"),
        ("贫困人口", "help", "none"),
        ("我不想活了", "help", "life"),
        ("他喝农药了", "help", "life"),
        ("有人上吊", "help", "life"),
        ("她割腕了", "help", "life"),
        ("我想死", "help", "doubt"),
        ("墙倒塌，压住一个人", "help", "collapse"),
        ("护坡垮塌", "help", "doubt"),
        ("没有人管，燃气泄漏一天了", "complaint", "gas"),
        ("要是今天不给钱我就跳楼", "complaint", "life"),
        ("表扬：消防救出被困电梯的老人", "commendation", "none"),
    ],
)
def test_words_mean_what_their_sentence_says(text: str, kind: str, found: str) -> None:
    assert said(text, kind) == found


def test_a_sentence_is_read_by_itself() -> None:
    """What was over in one sentence may begin anew in the next, and the title is one of its own."""
    assert said("去年吊顶坍塌过。今天又坍塌，有人压在下面") == "collapse"
    assert RULES.alarms(TicketType.HELP, text_of("没有", "燃气泄漏"))[0].certain


def test_what_is_certain_comes_first() -> None:
    first, second = RULES.alarms(TicketType.HELP, text_of("", "护坡垮塌，有人要跳楼"))
    assert (first.danger.id, first.certain) == ("life", True)
    assert (second.danger.id, second.certain) == ("collapse", False)


def test_a_doubtful_danger_is_critical_until_a_person_says() -> None:
    found = RULES.found(TicketType.HELP, "other.unclear", (), text_of("", "我想死"))
    assert found
    assert (found.level, found.doubtful) == (Urgency.CRITICAL, True)


@given(st.sampled_from([word for danger in RULES.dangers for word in danger.words]), st.data())
def test_width_and_neighbours_hide_no_word(word: str, data: st.DataObject) -> None:
    """Whatever is said in other sentences, a bare report is heard."""
    around = st.text("水电路灯吵，。！？\n 没有去年", max_size=60)
    text = f"{data.draw(around)}。{word}\n{data.draw(around)}"
    assert said(text) != "none"


# --- the file ----------------------------------------------------------------------------------

DANGER = {"id": "gas", "zh": "燃气泄漏", "en": "gas", "words": ["漏气"]}
CUES = {"past": {"before": ["去年"]}}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"dangers": [DANGER | {"set_aside_by": ["pasd"]}], "cues": CUES}, "past"),
        ({"dangers": [DANGER], "cues": CUES}, "no danger names it"),
        ({"dangers": [DANGER | {"innocent": ["煤气灶"]}]}, "hides no word"),
        ({"dangers": [DANGER | {"weak_words": ["漏气"]}]}, "stands here twice"),
        ({"dangers": [DANGER, DANGER | {"words": ["泄漏"]}]}, "stands here twice"),
        ({"negation": {"through": ["发生"]}}, "before or after"),
        ({"negation": {"before": ["没有"], "within": ["是不是"]}}, "holds none"),
        ({"negation": {"befor": ["没有"]}}, "befor"),
        ({"dangers": [DANGER | {"words": []}]}, "words"),
    ],
)
def test_what_nobody_would_obey_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        UrgencyRules.model_validate(wrong)


def test_a_fault_is_told_with_its_line(tmp_path: Path) -> None:
    folder = shutil.copytree(ZIYANG, tmp_path / "ziyang")
    path = folder / "urgency.yaml"
    lines = path.read_text("utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, 1) if "questioned_by: [asked]" in line)
    lines[number - 1] = lines[number - 1].replace("asked", "askd")
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ConfigError, match=rf"urgency.yaml:{number}: .*asked"):
        Intake(embedded=True, config_dir=folder).load()


def test_a_rule_for_a_danger_nobody_knows_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = shutil.copytree(ZIYANG, tmp_path / "ziyang")
    path = folder / "catalogue.yaml"
    text = path.read_text("utf-8").replace("dangers: [life]", "dangers: [live]")
    path.write_text(text, "utf-8")
    number = next(at for at, line in enumerate(text.splitlines(), 1) if "[live]" in line)
    with pytest.raises(ConfigError, match=rf"catalogue.yaml:{number}: .*life"):
        Dispatcher(embedded=True, config_dir=folder).load()


def test_a_file_of_the_release_before_is_obeyed_as_it_was() -> None:
    old = UrgencyRules.model_validate({"critical_keywords": ["轻生"], "urgent_topics": ["water"]})
    found = old.found(TicketType.HELP, "water.fee", (), text_of("", "减轻生活负担"))
    assert found
    assert (found.level, found.what, found.doubtful) == (Urgency.CRITICAL, "轻生", False)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("没有", "", True),
        ("没有发生任何", "", True),
        ("没有人管", "", False),
        ("有没有", "", False),
        ("", "是误报", True),
        ("", "，昨天那次是误报", False),
    ],
)
def test_a_cue_that_must_be_near_is(before: str, after: str, found: bool) -> None:
    cue = Cue.model_validate(
        {
            "before": ["没有"],
            "after": ["是误报"],
            "through": ["发生", "任何"],
            "within": ["有没有"],
        }
    )
    assert cue.found(before, after) is found
