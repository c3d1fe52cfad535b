"""Learning a model of suggestions. Takes scikit-learn (the extra ``suggest``): only commands import this."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy.sparse import diags_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from operations.suggest.samples import Sample, dealt, units_of
from services.dispatcher.rules.suggesting import (
    FORMAT,
    SIGNS,
    ModelFile,
    VoterFile,
    chances_of,
    grams_of,
    read_as,
    signs,
)

FOLDS = 5
RETURNED = 2.0  # a granted return counts so many times for what the unit is not
SHARPNESS = np.geomspace(0.5, 40, 40)
TOLERANCE = 1e-3  # of a machine: finer changes no answer
LEAST_SAMPLES = 2  # a gram stands in, or it is not learned
STEPS = 32_767  # int16
NEVER = 2.0  # a confidence nothing reaches


@dataclass(frozen=True, slots=True)
class Way:
    """A way to weigh texts: see VoterFile. ``smoothing``: what is added to every count; ``worth``: how much
    its vote counts.
    """

    of: Literal["title", "text"]
    shortest: int
    longest: int
    smoothing: float
    worth: float


# The whole text decides. The title hardly votes; whether it agrees tells how sure the answer is.
WAYS = (Way("text", 1, 2, 0.1, 1.0), Way("title", 1, 3, 0.3, 0.1))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A voter as it was learned: weights a row for each gram, a column for each unit."""

    way: Way
    reader: Any
    weights: Any
    bias: Any

    def votes(self, samples: Sequence[Sample]) -> Any:
        """A row for each sample, a column for each unit."""
        return self.reader.transform(_read(self.way, samples)) @ self.weights + self.bias

    def file(self) -> VoterFile:
        """The same as it is stored."""
        step = float(np.abs(self.weights).max()) / STEPS or 1.0
        rounded = np.rint(self.weights / step).astype("<i2")
        return VoterFile(
            of=self.way.of,
            shortest=self.way.shortest,
            longest=self.way.longest,
            grams=tuple(self.reader.get_feature_names_out()),
            worth=tuple(map(float, self.reader.idf_)),
            weights=base64.b64encode(rounded.tobytes()).decode(),
            step=step,
            bias=tuple(map(float, self.bias)),
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """A model, and what it would have said of the orders it learned from without having seen them: how
    sure it was of the first unit, and whether that was right.
    """

    file: ModelFile
    unseen: Sequence[tuple[float, bool]]

    def confidence_for(self, error: float) -> float:
        """The confidence from which on no more than a share of ``error`` would have been wrong."""
        return threshold(self.unseen, error)


def learn(samples: Sequence[Sample], made_at: str) -> Lesson:
    """A model learned from samples. Raises ConfigError when they are too few."""
    units = units_of(samples)
    known = [sample for sample in samples if sample.unit]
    votes = unseen_votes(samples, units)
    right = np.array([units.index(each.unit) if each.unit in units else -1 for each in known])
    sharpness = _sharpness(sum(votes), right)
    sureness = _sureness(votes, right, sharpness)
    file = ModelFile(
        format=FORMAT,
        made_at=made_at,
        orders=len(known),
        units=units,
        voters=tuple(_fit(way, samples, units).file() for way in WAYS),
        sharpness=sharpness,
        sureness=sureness,
        digest="",
    )
    sure = [max(chances_of(rows, sharpness, sureness)) for rows in zip(*votes, strict=True)]
    hits = sum(votes).argmax(axis=1) == right
    return Lesson(file.sealed(), [*zip(sure, map(bool, hits), strict=True)])


def unseen_votes(samples: Sequence[Sample], units: Sequence[str]) -> list[Any]:
    """For each voter a row for each sample whose unit is known: what it says having learned from others."""
    known = [sample for sample in samples if sample.unit]
    others = [sample for sample in samples if not sample.unit]
    folds = np.array(dealt(known, FOLDS, seed=1))
    votes = [np.zeros((len(known), len(units))) for _ in WAYS]
    for fold in range(FOLDS):
        learned = [*(known[at] for at in np.flatnonzero(folds != fold)), *others]
        asked = [known[at] for at in np.flatnonzero(folds == fold)]
        for way, found in zip(WAYS, votes, strict=True):
            found[folds == fold] = _fit(way, learned, units).votes(asked)
    return votes


def _read(way: Way, samples: Sequence[Sample]) -> list[str]:
    return [read_as(way.of, each.title, each.content) for each in samples]


def _fit(way: Way, samples: Sequence[Sample], units: Sequence[str]) -> Fitted:
    analyzer = partial(_grams, shortest=way.shortest, longest=way.longest)
    reader = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=LEAST_SAMPLES)
    values = reader.fit_transform(_read(way, samples))
    weights, bias = _weighed(values, samples, units, way.smoothing)
    return Fitted(way, reader, weights * way.worth, bias * way.worth)


def _grams(text: str, shortest: int, longest: int) -> list[str]:
    return list(grams_of(text, shortest, longest))


def _weighed(
    values: Any, samples: Sequence[Sample], units: Sequence[str], smoothing: float
) -> tuple[Any, Any]:
    """For each unit a linear support vector machine on grams that count by how much more there is of them
    in its texts than in others' (NBSVM: Wang and Manning 2012).

    Who is right where a return was granted may not be known yet; that this unit is wrong there is.
    """
    weights, bias = np.zeros((values.shape[1], len(units))), np.zeros(len(units))
    somebody = np.array([each.unit is not None for each in samples])
    for column, unit in enumerate(units):
        theirs = np.array([each.unit == unit for each in samples])
        against = np.array([unit in each.against for each in samples]) & ~theirs
        rows = somebody | against
        mine, counts = theirs[rows], np.where(against, RETURNED, 1.0)[rows]
        ratios = _ratio(values[theirs], smoothing) - _ratio(values[rows & ~theirs], smoothing)
        machine = LinearSVC(C=1.0, random_state=0, tol=TOLERANCE)
        machine.fit((values[rows] @ diags_array(ratios)).tocsr(), mine, sample_weight=counts)
        weights[:, column], bias[column] = machine.coef_[0] * ratios, machine.intercept_[0]
    return weights, bias


def _ratio(values: Any, smoothing: float) -> Any:
    amounts = np.asarray(values.sum(axis=0)).ravel() + smoothing
    return np.log(amounts / amounts.sum())


def _sharpness(totals: Any, right: Any) -> float:
    """What makes of the scores the likeliest chances."""
    rows = right >= 0
    scores = totals[rows] - totals[rows].max(axis=1, keepdims=True)
    first = np.arange(rows.sum()), right[rows]

    def unlikely(sharpness: float) -> float:
        spread = np.log(np.exp(sharpness * scores).sum(axis=1))
        return float((spread - sharpness * scores[first]).mean())

    return float(min(SHARPNESS, key=unlikely))


def _sureness(votes: Sequence[Any], right: Any, sharpness: float) -> tuple[float, ...]:
    """How likely the first is right, by its signs (see `signs`)."""
    hits = sum(votes).argmax(axis=1) == right
    if hits.all() or not hits.any():  # as likely as what was always so till now (Laplace)
        chance = (hits.sum() + 1) / (len(hits) + 2)
        return (float(np.log(chance / (1 - chance))), *([0.0] * (SIGNS - 1 + len(votes))))
    told = np.array([signs(rows, sharpness) for rows in zip(*votes, strict=True)])
    learned = LogisticRegression(C=1.0, max_iter=1_000).fit(told, hits)
    return (float(learned.intercept_[0]), *map(float, learned.coef_[0]))


def threshold(sure: Sequence[tuple[float, bool]], error: float) -> float:
    """The least confidence from which on no more than a share of ``error`` is wrong; NEVER when there is
    none.
    """
    found, wrong = NEVER, 0
    ordered = sorted(sure, reverse=True)
    for count, (confidence, right) in enumerate(ordered, 1):
        wrong += not right
        last = count == len(ordered) or ordered[count][0] < confidence
        if last and wrong <= error * count:
            found = confidence
    return found


def share_at(sure: Sequence[tuple[float, bool]], error: float) -> float:
    """The share from `threshold` on."""
    least = threshold(sure, error)
    return sum(confidence >= least for confidence, _ in sure) / len(sure) if sure else 0.0
