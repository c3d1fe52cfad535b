"""建议: which units a text speaks for, as learned from confirmed orders (DOMAIN.md 7). Pure.

Characters side by side (grams) are weighed for each unit: Chinese needs no cutting into words for that.
Several voters, each of which weighs in its own way, are added; how sure that is was learned too, on
orders the voters had not seen. Whoever learns has a library for it (operations/suggest); to read what was
learned takes none. A model is a file of numbers and grams: nothing in it is ever run.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.dispatcher.rules.reasons import Names, Reason
from shared.errors import ConfigError
from shared.jurisdiction.sections import Section
from shared.jurisdiction.wording import plain

FORMAT = "jiesu-suggest-1"
MOST = 3  # suggestions a person is shown
WORDS = 3  # that speak for each of them
LONGEST_WORD, SHORTEST_WORD = 4, 2
READ = 4_000  # characters of a text; what follows says little that was not said
DIGITS = re.compile(r"\d+")
BETWEEN = re.compile(r"[\W_]+")
LARGEST = 200_000_000  # bytes of a model
SIGNS = 3  # and one for each voter: the weights of `signs`
LEAST = 1e-300  # above nothing: of less there is no logarithm


class Suggestions(Section):
    """suggestions.yaml: from which confidence on, 0 to 1, a ticket that no rule covers is dispatched
    as the model suggests, if ``automatic`` at all.
    """

    automatic: bool
    min_confidence: Annotated[float, Field(ge=0.5, le=1)]


class Suggestion(NamedTuple):
    """A unit, the chance (0 to 1) that it is the right one, and the words that speak for it."""

    unit: str
    confidence: float
    words: tuple[str, ...]


class Learned(BaseModel):
    """A part of a model's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VoterFile(Learned):
    """``grams`` of ``shortest`` to ``longest`` characters, of the title alone or of title, title again
    and content. ``worth`` of each gram; ``weights`` are base64 of little-endian int16, a row for each
    gram, a column for each unit, in steps of ``step``.
    """

    of: Literal["title", "text"]
    shortest: Annotated[int, Field(ge=1, le=8)]
    longest: Annotated[int, Field(ge=1, le=8)]
    grams: tuple[str, ...]
    worth: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...]
    weights: str
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    bias: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]


class ModelFile(Learned):
    """A model as it is stored. ``digest`` is that of all the rest: a file cut short is refused.
    ``sureness``: the weights of `signs`, first the one of nothing. ``orders``: how many it learned from.
    """

    format: Literal["jiesu-suggest-1"]
    made_at: str
    orders: Annotated[int, Field(ge=1)]
    units: Annotated[tuple[str, ...], Field(min_length=2)]
    voters: Annotated[tuple[VoterFile, ...], Field(min_length=1, max_length=8)]
    sharpness: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    sureness: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]
    digest: str

    def sealed(self) -> Self:
        """The same with its digest."""
        return self.model_copy(update={"digest": self.expected()})

    def expected(self) -> str:
        """The digest its content has."""
        return hashlib.sha256(self.model_dump_json(exclude={"digest"}).encode()).hexdigest()


# --- reading a text ----------------------------------------------------------------------------


def cleaned(text: str) -> str:
    """A text as it is read: widths and capitals alike, every number the same, marks as blanks. So no
    model holds a number of anybody's.
    """
    return BETWEEN.sub(" ", DIGITS.sub("0", plain(text[:READ]))).strip()


def read_as(of: str, title: str, content: str) -> str:
    """What a voter reads of a ticket; the title counts twice, for it says what is wanted."""
    return cleaned(title if of == "title" else f"{title}\n{title}\n{content}")


def grams_of(text: str, shortest: int, longest: int) -> Iterator[str]:
    """Every gram of a cleaned text; none reaches over a mark."""
    for part in text.split():
        for length in range(shortest, longest + 1):
            for at in range(len(part) - length + 1):
                yield part[at : at + length]


# --- what was learned --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Voter:
    """One way to weigh a text; see VoterFile."""

    file: VoterFile
    rows: Mapping[str, int]
    weights: array[int]

    @classmethod
    def of(cls, file: VoterFile, units: int) -> Self:
        """A voter from its file. Raises ValueError for what does not fit together."""
        weights = array("h")
        weights.frombytes(base64.b64decode(file.weights, validate=True))
        if sys.byteorder == "big":
            weights.byteswap()
        rows = {gram: row for row, gram in enumerate(file.grams)}
        if not (len(rows) == len(file.grams) == len(file.worth) and len(file.bias) == units):
            raise ValueError("grams, worth or bias")
        if len(weights) != len(rows) * units:
            raise ValueError("weights")
        return cls(file, rows, weights)

    def values(self, title: str, content: str) -> dict[str, float]:
        """How much each known gram of a text counts: often is more, though not as often; together 1."""
        file = self.file
        text = read_as(file.of, title, content)
        counts = Counter(
            gram for gram in grams_of(text, file.shortest, file.longest) if gram in self.rows
        )
        values = {
            gram: (1 + log(count)) * file.worth[self.rows[gram]] for gram, count in counts.items()
        }
        norm = sqrt(sum(value * value for value in values.values())) or 1.0
        return {gram: value / norm for gram, value in values.items()}

    def vote(self, values: Mapping[str, float]) -> list[float]:
        """A score for each unit."""
        units, step = len(self.file.bias), self.file.step
        totals = [0.0] * units
        for gram, value in values.items():
            first = self.rows[gram] * units
            row = self.weights[first : first + units]
            totals = [total + value * weight for total, weight in zip(totals, row, strict=True)]
        return [total * step + bias for total, bias in zip(totals, self.file.bias, strict=True)]

    def weight(self, gram: str, unit: int) -> float:
        """How much a gram says for a unit, against what it says for all of them on the average."""
        units = len(self.file.bias)
        first = self.rows[gram] * units
        row = self.weights[first : first + units]
        return (row[unit] - sum(row) / units) * self.file.step


@dataclass(frozen=True)
class Model:
    """What was learned, ready to be asked."""

    file: ModelFile
    voters: tuple[Voter, ...]

    @classmethod
    def read(cls, raw: bytes, name: str) -> Self:
        """A model from the bytes of its file. Raises ConfigError when it is not one, or not whole."""
        try:
            file = ModelFile.model_validate_json(raw)
            voters = tuple(Voter.of(voter, len(file.units)) for voter in file.voters)
        except (ValidationError, ValueError):
            raise ConfigError(f"{name}: 不是建议模型 no model of suggestions ({FORMAT})") from None
        if file.digest != file.expected() or len(file.sureness) != SIGNS + len(voters):
            raise ConfigError(f"{name}: 建议模型不完整 the model of suggestions is not whole")
        return cls(file, voters)

    def suggest(self, title: str, content: str, without: Collection[str] = ()) -> list[Suggestion]:
        """The units a text speaks for most, the surest first, and never one of ``without``.

        Who is left out takes its chance along: nobody else becomes surer by that.
        """
        values = [voter.values(title, content) for voter in self.voters]
        votes = [
            voter.vote(its_values) for voter, its_values in zip(self.voters, values, strict=True)
        ]
        chances = chances_of(votes, self.file.sharpness, self.file.sureness)
        order = sorted(range(len(chances)), key=lambda unit: -chances[unit])
        chosen = [unit for unit in order if self.file.units[unit] not in without][:MOST]
        return [
            Suggestion(self.file.units[unit], chances[unit], self._words(values, unit))
            for unit in chosen
        ]

    def _words(self, values: Sequence[Mapping[str, float]], unit: int) -> tuple[str, ...]:
        said: Counter[str] = Counter()
        for voter, its_values in zip(self.voters, values, strict=True):
            for gram, value in its_values.items():
                said[gram] += value * voter.weight(gram, unit)  # type: ignore[assignment]
        return words_of(said)


def chances_of(
    votes: Sequence[Sequence[float]], sharpness: float, sureness: Sequence[float]
) -> list[float]:
    """The chance of each unit: that of the first as learned, the rest shared out by their scores."""
    totals = [sum(scores) for scores in zip(*votes, strict=True)]
    best = max(totals)
    shares = [exp(sharpness * (total - best)) for total in totals]
    first = totals.index(best)
    others = sum(shares) - shares[first]
    sure = sigmoid(
        sum(
            weight * sign
            for weight, sign in zip(sureness, (1.0, *signs(votes, sharpness)), strict=True)
        )
    )
    left = (1 - sure) / others if others else 0.0
    return [sure if unit == first else share * left for unit, share in enumerate(shares)]


def signs(votes: Sequence[Sequence[float]], sharpness: float) -> tuple[float, ...]:
    """By what it is judged how sure the first is: how far it is ahead of the second, and of all others
    together; and how far ahead each voter by itself sees it, which is below 0 where it would choose
    another.
    """
    totals = [sum(scores) for scores in zip(*votes, strict=True)]
    first = totals.index(max(totals))
    others = sum(exp(sharpness * (total - totals[first])) for total in totals) - 1
    leads = (_lead(scores, first) for scores in votes)
    return _lead(totals, first), -log(max(others, LEAST)), *leads


def _lead(scores: Sequence[float], first: int) -> float:
    return scores[first] - max(score for unit, score in enumerate(scores) if unit != first)


def reason_for(suggestion: Suggestion, model: Model, names: Names) -> Reason:
    """Why a ticket went where the model suggests: how sure it was, by which words, learned from what."""
    words = "、".join(f"“{word}”" for word in suggestion.words)
    unit, sure = names.unit(suggestion.unit), f"{suggestion.confidence:.0%}"
    orders, made = model.file.orders, model.file.made_at[:10]
    return Reason(
        f"按建议模型自动派单至{unit}：把握{sure}，文中{words}；模型{made}学自{orders}件已确认工单",
        f"dispatched to {unit} as the model suggests: {sure} sure, by {words}; learned from {orders} "
        f"confirmed orders on {made}",
    )


def sigmoid(value: float) -> float:
    """From any number to 0 … 1."""
    return 1 / (1 + exp(-value)) if value > -700 else 0.0


def words_of(said: Mapping[str, float]) -> tuple[str, ...]:
    """The words that count most, of which none lies in another. A word counts as much as all grams in it."""

    def inside(word: str) -> float:
        spans = grams_of(word, 1, len(word))
        return sum(said.get(gram, 0.0) for gram in spans)

    candidates = {gram for gram in said if SHORTEST_WORD <= len(gram) <= LONGEST_WORD}
    worth = {word: inside(word) for word in candidates}
    words: list[str] = []
    for word in sorted(candidates, key=lambda word: (-worth[word], word)):
        if worth[word] <= 0 or len(words) == WORDS:
            break
        if not any(_overlap(word, other) for other in words):
            words.append(word)
    return tuple(words)


def _overlap(word: str, other: str) -> bool:
    return bool({*grams_of(word, 2, 2)} & {*grams_of(other, 2, 2)})
