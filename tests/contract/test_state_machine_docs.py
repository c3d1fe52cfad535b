"""docs/state_machines.md says what the tables of the rules say: states, moves, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.rules import arbitration, assignment
from services.feedback.rules import machine as callback
from services.intake.rules import endings
from services.intake.rules import machine as ticket
from services.tracker.rules import machine as clock
from shared.events import FACTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "state_machines.md"
Move = tuple[str, str, str]  # state, action, state
ARROW = re.compile(r"^ +(\S+) --> (\w+): (\S+)$", re.MULTILINE)
END = re.compile(r"^ +(\w+) --> \[\*\]$", re.MULTILINE)
NAME = re.compile(r"`([\w.]+)`")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as its rules have it: where it begins, its moves, and each state's sentence."""

    begins: str
    moves: set[Move]
    sentences: dict[str, str]


def returning() -> set[str]:
    """The states a refused return goes back to: those in which one may be asked for."""
    asked = assignment.Action.REQUEST_RETURN
    return {str(state) for state, moves in assignment.MOVES.items() if asked in moves}


def of_assignment() -> Machine:
    moves = {
        (str(state), str(action), target)
        for state, allowed in assignment.MOVES.items()
        for action, to in allowed.items()
        for target in ([str(to)] if to else returning())
    }
    return Machine("dispatched", moves, joined(assignment.SENTENCES))


def of_clock() -> Machine:
    moves = {
        (str(state), str(action), str(to))
        for state, allowed in clock.MOVES.items()
        for action, to in allowed.items()
    }
    return Machine("running", moves, joined(clock.SENTENCES))


def of_callback() -> Machine:
    moves = {
        (str(state), str(action), str(to))
        for state, allowed in callback.MOVES.items()
        for action, to in allowed.items()
    }
    return Machine("planned", moves, joined(callback.SENTENCES))


def of_ticket() -> Machine:
    moves = {(str(status), str(action), str(to)) for (status, action), to in ticket.MOVES.items()}
    return Machine("received", moves, joined(ticket.SENTENCES))


def joined(sentences: Mapping[Any, tuple[str, str]]) -> dict[str, str]:
    """Each state's sentence, Chinese and English in one line."""
    return {str(state): " ".join(words) for state, words in sentences.items()}


def of_arbitration() -> Machine:
    moves = {
        (str(state), str(action), str(to))
        for state, allowed in arbitration.MOVES.items()
        for action, to in allowed.items()
    }
    return Machine("open", moves, joined(arbitration.SENTENCES))


MACHINES = {
    "Assignment": of_assignment(),
    "Arbitration": of_arbitration(),
    "Clock": of_clock(),
    "Callback": of_callback(),
    "Ticket": of_ticket(),
}


def section(name: str) -> str:
    """The part of the page about one machine."""
    return PAGE.read_text(encoding="utf-8").split(f"\n## {name} ")[1].split("\n## ")[0]


def table(name: str, heading: str) -> list[list[str]]:
    """The rows of the table whose second column has this heading, as cells."""
    rows = [line.strip("|").split("|") for line in section(name).splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in row] for row in rows]
    begins = next(at for at, row in enumerate(cells) if row[:2] == ["state", heading]) + 2
    headings = [at for at, row in enumerate(cells) if row[0] == "state"]
    return cells[begins : min((at for at in headings if at > begins), default=len(cells))]


def moves_of(rows: Sequence[Sequence[str]]) -> list[Move]:
    """One move for each state a row may lead to."""
    return [
        (NAME.findall(state)[0], NAME.findall(action)[0], target)
        for state, action, to, *_ in rows
        for target in NAME.findall(to)
    ]


each = pytest.mark.parametrize("name", MACHINES)


@each
def test_the_page_has_every_state_with_its_sentence(name: str) -> None:
    rows = table(name, "who moves it on")
    assert [(row[0].strip("`"), row[1]) for row in rows] == list(MACHINES[name].sentences.items())


@each
def test_the_page_has_every_move_and_no_other(name: str) -> None:
    listed = moves_of(table(name, "action"))
    assert len(listed) == len(set(listed))
    assert set(listed) == MACHINES[name].moves


def test_the_page_has_every_move_of_the_hotline_itself_and_no_other() -> None:
    listed = moves_of(table("Ticket", "at the hotline"))
    assert len(listed) == len(set(listed))
    assert set(listed) == {(str(at), str(act), str(to)) for (at, act), to in endings.MOVES.items()}


@each
def test_the_picture_shows_every_move_that_changes_the_state(name: str) -> None:
    wanted = {move for move in MACHINES[name].moves if move[0] != move[2]}
    if name == "Ticket":
        wanted |= {*moves_of(table(name, "fact")), *moves_of(table(name, "at the hotline"))}
    drawn = [(state, action, to) for state, to, action in ARROW.findall(section(name))]
    assert sorted(drawn) == sorted(wanted)


@each
def test_the_picture_begins_and_ends_where_the_machine_does(name: str) -> None:
    machine, drawn = MACHINES[name], ARROW.findall(section(name))
    assert f"[*] --> {machine.begins}\n" in section(name)
    assert set(END.findall(section(name))) == machine.sentences.keys() - {row[0] for row in drawn}


def test_the_page_names_no_fact_that_nobody_says() -> None:
    named = {name for name in NAME.findall(PAGE.read_text(encoding="utf-8")) if "." in name}
    assert named - {kind.name for kind in FACTS.values()} == set()


# --- the ticket: what facts add up to ----------------------------------------------------------

ANSWERED = ("assignment.dispatched", "assignment.signed", "assignment.completed", "ticket.resolved")
TOLD_SO_FAR: dict[str, tuple[str, ...]] = {
    "received": (),
    "assigned": ANSWERED[:1],
    "in_hand": ANSWERED[:2],
    "resolved": ANSWERED,
    "closed": (*ANSWERED, "ticket.closed"),
    "reopened": (*ANSWERED, "ticket.reopened"),
}


def status_after(facts: Iterable[str]) -> str:
    """The status intake works out of facts about one unit."""
    proven: dict[int, ticket.AssignmentStatus] = {}
    highest = {"resolved": 0, "closed": 0, "reopened": 1}
    for fact in facts:
        about, _, word = fact.partition(".")
        current = highest["reopened"]
        if about == "ticket":
            highest[word] = current + 1 if word == "reopened" else current
        else:
            proven[current] = ticket.later(proven.get(current), fact)
    known = [ticket.Assigned("HC", round, status) for round, status in proven.items()]
    return ticket.progress_of(
        known,
        resolved_round=highest["resolved"],
        closed_round=highest["closed"],
        reopened_round=highest["reopened"],
    ).status


@pytest.mark.parametrize("move", moves_of(table("Ticket", "fact")))
def test_the_facts_move_the_ticket_as_the_page_says(move: Move) -> None:
    state, fact, to = move
    assert status_after(TOLD_SO_FAR[state]) == state
    assert status_after((*TOLD_SO_FAR[state], fact)) == to


def test_the_page_says_how_each_status_is_reached() -> None:
    facts, own = moves_of(table("Ticket", "fact")), moves_of(table("Ticket", "at the hotline"))
    kept = {ticket.TicketStatus.WITHDRAWN, ticket.TicketStatus.ANSWERING}  # the latter at the call
    assert {to for _, _, to in facts + own} | kept == set(ticket.TicketStatus)
