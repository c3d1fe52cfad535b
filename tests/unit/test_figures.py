"""The bench: what its figures are made of, what is said of them, what docs/scale.md says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.load import goals, scale
from tests.load.measures import MEASURES
from tests.load.pace import Pace, varied, verdict
from tests.load.tap import Reading

# --- figures and goals ---------------------------------------------------------------------------


def test_ratios_need_both_sides() -> None:
    assert goals.ratios({"intake_per_s": 800, "hello_per_s": 3200}) == {"intake_vs_hello": 0.25}
    assert goals.ratios({"intake_per_s": None, "plain_per_s": 200}) == {"intake_vs_plain": None}
    assert goals.ratios({"intake_per_s": 800}) == {}


@pytest.mark.parametrize(
    ("name", "value", "reached"),
    [
        ("loop_per_s", 30.0, True),
        ("loop_per_s", 29.9, False),
        ("rss_mb.tracker", 121.0, False),
        ("dispatch_p99_ms", 30.0, True),
        ("loop_per_s", None, False),
        ("facts_per_ticket", 20.0, None),
    ],
)
def test_a_figure_meets_its_goal_or_does_not(
    name: str, value: float | None, reached: bool | None
) -> None:
    assert goals.met(name, value) is reached


def test_what_does_not_count_is_said() -> None:
    said = goals.table({"intake_per_s": None, "loop_per_s": 12.345, "batch_per_s": 1234.5})
    assert "不计 not counted" in said
    assert "12.3" in said
    assert "≥ 30" in said


def test_two_sides_stand_beside_one_another_goals_first() -> None:
    one = {"loop_per_s": 40.0, "facts_per_ticket": 24.0, "cpu_ms_per_ticket": 30.0}
    other = {"loop_per_s": 20.0, "facts_per_ticket": 24.0, "cpu_ms_per_ticket": None}
    said = goals.against(one, other, {"loop_per_s": "a note"})
    first, *rest = said.splitlines()[1:]
    assert first.split()[:4] == ["loop_per_s", "40", "20", "2.000"]
    assert first.endswith("a note")
    assert "不计 not counted" in rest[1]


@pytest.mark.parametrize(
    ("name", "value", "other", "better"),
    [
        ("loop_per_s", 2.0, 1.0, True),
        ("intake_vs_hello", 0.1, 0.2, False),
        ("due_10k_s", 1.0, 2.0, True),
        ("due_10k_s", None, 2.0, False),
        ("due_10k_s", 2.0, None, True),
    ],
)
def test_the_better_of_two_passes(
    name: str, value: float | None, other: float | None, better: bool
) -> None:
    assert goals.better(name, value, other) is better


@pytest.mark.parametrize("content", [None, "", "{"])
def test_without_figures_the_tables_say_what_to_run(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bench.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit, match="make bench"):
        scale.main(path)


def test_measures_can_be_chosen_by_name() -> None:
    names = [one.__name__ for one in MEASURES]
    assert len(set(names)) == len(names)


def test_a_machine_that_was_not_ours_is_not_believed() -> None:
    steady = [Pace(5_000, 0.10), Pace(5_000, 0.105)]
    assert "可信 quiet enough" in verdict(0.05, varied(steady))
    assert "too busy to believe it" in verdict(0.3, varied(steady))
    assert "too busy to believe it" in verdict(0.05, varied([*steady, Pace(4_000, 0.13)]))


# --- statements on the wire --------------------------------------------------------------------


def packet(kind: bytes, *parts: bytes) -> bytes:
    body = b"\0".join((*parts, b""))
    return kind + (len(body) + 4).to_bytes(4) + body


def test_statements_are_counted_whatever_the_pieces_they_come_in() -> None:
    row = packet(b"B", b"", b"s1", b"...") + packet(b"E", b"", b"...")
    many = packet(b"P", b"s1", b"INSERT\n  INTO x", b"...") + row * 3 + packet(b"S")
    sent = packet(b"Q", b"BEGIN;") + many + packet(b"Q", b"COMMIT;") + row + packet(b"S")
    for size in (1, 7, len(sent)):
        counts = Counter[str]()
        reading = Reading(counts, "intake")
        for at in range(0, len(sent), size):
            reading.feed(sent[at : at + size])
        assert counts == {
            "intake: BEGIN": 1,
            "intake: INSERT INTO x": 2,  # of three rows, and of one
            "intake: COMMIT": 1,
        }


# --- docs/scale.md -----------------------------------------------------------------------------

FIGURES = {
    "loop_per_s": 20.0,
    "intake_per_s": None,
    "facts_per_ticket": 25.0,
    "stored_kb_per_ticket": 32.0,
    "cpu_ms_per_ticket": 100.0,
    **{f"cpu_share.{name}": 0.2 for name in NAMES},
    "cpu_share.database": 0.15,
    "cpu_share.broker": 0.05,
}


def test_the_document_keeps_its_words_and_gets_its_tables() -> None:
    document = scale.DOCUMENT.read_text(encoding="utf-8")
    once = scale.written(document, {"figures": FIGURES})
    assert "| `loop_per_s` | 20 | ≥ 30 | no |" in once
    assert "| `intake_per_s` | not counted |" in once
    assert once.startswith(document.partition("<!-- measured -->")[0])
    assert once.endswith(document.partition("<!-- end of sums -->")[2])
    assert scale.written(once, {"figures": FIGURES}) == once


def test_a_document_without_its_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="measured"):
        scale.written("# Scale\n", {"figures": FIGURES})


def test_sums_multiply_what_was_measured() -> None:
    rows = {row[0]: row[1:] for row in scale.sums({"figures": FIGURES})}
    assert rows["tickets/s at the worst moment"][2] == "13.8"  # 110,000 × 15 % × 3 in an hour
    assert rows["cores busy at the worst moment"][2] == "1.38"
    assert rows["cores to buy at 60% busy"][2] == "3"
    assert rows["facts a day"][2] == "2,750,000"
    assert rows["GB stored a year"][2] == "1,225"
