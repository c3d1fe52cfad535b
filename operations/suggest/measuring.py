"""How good suggestions are: what is learned from some orders, asked of others it has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from operations.suggest.learning import learn, share_at
from operations.suggest.samples import Sample, dealt
from services.dispatcher.rules.suggesting import Model

ERROR = 0.02  # of what is dispatched automatically
CONFIDENCES = (0.8, 0.9, 0.95, 0.98)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said of one order: who did it, the units suggested, how sure the first was, and
    whether that was above the confidence that its own lesson chose for an error of ERROR.
    """

    unit: str
    suggested: tuple[str, ...]
    confidence: float
    automatic: bool

    @property
    def right(self) -> bool:
        """Whether the first suggestion is who did it."""
        return self.suggested[:1] == (self.unit,)


def answers(train: Sequence[Sample], test: Iterable[Sample]) -> Iterator[Answer]:
    """Learn from some orders, ask of others, by the model as a service would read it from its file."""
    lesson = learn(train, made_at="")
    model = Model.read(lesson.file.model_dump_json().encode(), "model")
    for sample in test:
        if sample.unit:
            found = model.suggest(sample.title, sample.content)
            sure = found[0].confidence
            units = tuple(each.unit for each in found)
            yield Answer(sample.unit, units, sure, sure >= lesson.confidence_for(ERROR))


def folded(samples: Sequence[Sample], folds: int, seed: int) -> Iterator[Answer]:
    """Each order asked of what was learned from the other folds; units are spread over them evenly."""
    fold_of = dealt(samples, folds, seed)
    for fold in range(folds):
        train = [each for each, its_fold in zip(samples, fold_of, strict=True) if its_fold != fold]
        test = [each for each, its_fold in zip(samples, fold_of, strict=True) if its_fold == fold]
        yield from answers(train, test)


def measured(found: Sequence[Answer]) -> dict[str, float]:
    """The figures. ``suggest_auto_share_2pct``: the share above a confidence that training alone chose;
    ``suggest_auto_error``: how many of these are wrong.
    """
    automatic = [each for each in found if each.automatic]
    return {
        "suggest_accuracy": _share(found, (each.right for each in found)),
        "suggest_macro_f1": macro_f1(found),
        "suggest_top3": _share(found, (each.unit in each.suggested for each in found)),
        "suggest_auto_share_2pct": _share(found, (each.automatic for each in found)),
        "suggest_auto_error": _share(automatic, (not each.right for each in automatic)),
        "suggest_auto_share_hindsight": share_at(
            [(each.confidence, each.right) for each in found], ERROR
        ),
    }


def above(found: Sequence[Answer], confidence: float) -> tuple[float, float]:
    """The share of orders at least so sure, and the share of these that is wrong."""
    sure = [each for each in found if each.confidence >= confidence]
    return len(sure) / len(found), _share(sure, (not each.right for each in sure))


def macro_f1(found: Sequence[Answer]) -> float:
    """The mean over units of F1, precision and recall taken together."""
    right, said, was = Counter[str](), Counter[str](), Counter[str]()
    for each in found:
        said[each.suggested[0]] += 1
        was[each.unit] += 1
        right[each.unit] += each.right
    return sum(2 * right[unit] / (said[unit] + was[unit]) for unit in was) / len(was)


def _share(of: Sequence[Answer], hits: Iterable[bool]) -> float:
    return sum(hits) / len(of) if of else 0.0
