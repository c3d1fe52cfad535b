"""险情用语: whether a text reports a danger, or only holds a word for one. Pure.

"有人要跳楼" reports one; "跳楼价", "没有燃气泄漏", "去年吊顶坍塌过" do not. Which words mean a danger,
and which words beside them change that, stands in urgency.yaml; here is how it is read
(docs/adr/0051-what-a-text-reports.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.jurisdiction.sections import Section, Where, Words, unknown_code

REACH = 40  # characters: what is spoken and written down has few full stops

_END = re.compile(r"[。!?;\n]")
_CLAUSE = re.compile(r"[,:。!?;\n]")


def plain(text: str) -> str:
    """Text as keywords are compared: full-width letters as half-width, capitals as small."""
    return unicodedata.normalize("NFKC", text).casefold()


def text_of(title: str, content: str) -> str:
    """What keywords are looked for in; a line break keeps title and content apart."""
    return plain(f"{title}\n{content}")


Plain = Annotated[Words, AfterValidator(plain)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Cue(Section):
    """提示语: what stands in the sentence of a word, before or after it, and changes what that means.

    ``through``: nothing but these may stand between; left out, anything may. ``within``: longer words
    in which a cue means nothing, as 没有 in 有没有.
    """

    before: tuple[Plain, ...] = ()
    after: tuple[Plain, ...] = ()
    through: tuple[Plain, ...] | None = None
    within: tuple[Plain, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.before or self.after):
            raise ValueError("缺少用语 a cue needs words: before or after")
        for longer in self.within:
            if not any(word in longer for word in (*self.before, *self.after)):
                raise ValueError(f"{longer} 不含任何用语 holds none of the words")
        return self

    def found(self, before: str, after: str) -> bool:
        """Whether it stands in what comes before a word, or in what comes after."""
        ahead, behind, hides = self._patterns
        if hides:
            before, after = hides.sub("\0", before), hides.sub("\0", after)
        return bool((ahead and ahead.search(before)) or (behind and behind.search(after)))

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, ...]:
        tied = self.through is not None
        near = f"(?:{_any(self.through)})*" if self.through else ""
        ahead = f"(?:{_any(self.before)}){near}{'$' if tied else ''}" if self.before else None
        behind = f"{'^' if tied else ''}{near}(?:{_any(self.after)})" if self.after else None
        hides = _any(self.within) if self.within else None
        return tuple(re.compile(each) if each else None for each in (ahead, behind, hides))


class Danger(Section):
    """险情: what endangers life, and the words that report it.

    ``words`` do by themselves, ``weak_words`` only perhaps, ``innocent`` are longer ones that mean
    something else. The rest name cues: with one of ``set_aside_by`` in its clause a word reports
    nothing, and less with one elsewhere in its sentence: what was certain is doubtful; so with
    ``questioned_by`` in a consultation (咨询). ``doubtful_by`` makes it doubtful whatever
    else is there. ``confirmed_by`` makes a weak word certain, and doubtful what was set aside.
    """

    id: Slug
    zh: Words
    en: Words
    words: Annotated[tuple[Plain, ...], Field(min_length=1)]
    weak_words: tuple[Plain, ...] = ()
    innocent: tuple[Plain, ...] = ()
    set_aside_by: tuple[str, ...] = ()
    questioned_by: tuple[str, ...] = ()
    doubtful_by: tuple[str, ...] = ()
    confirmed_by: tuple[str, ...] = ()

    def cues(self) -> Sequence[tuple[str, ...]]:
        """The names of its cues, in the order of CUES."""
        return self.doubtful_by, self.set_aside_by, self.questioned_by, self.confirmed_by


CUES = ("doubtful_by", "set_aside_by", "questioned_by", "confirmed_by")


class Alarm(NamedTuple):
    """A danger that a text reports, the word that does, and whether that is certain."""

    danger: Danger
    word: str
    certain: bool


class _Reading(NamedTuple):
    """How the words of a danger are read: its cues by what they do."""

    danger: Danger
    doubtful: Sequence[Cue]
    aside: Sequence[Cue]
    questioned: Sequence[Cue]
    confirmed: Sequence[Cue]


class Lookout:
    """Dangers and cues compiled: one pass over a text, and a look at the sentence of what it finds."""

    def __init__(
        self, dangers: Sequence[Danger], cues: Mapping[str, Cue], negation: Cue | None
    ) -> None:
        self._negation = negation
        self._meaning: list[tuple[_Reading, bool] | None] = []  # by word: whether by itself
        words: list[str] = []
        for danger in dangers:
            reading = _Reading(danger, *([cues[name] for name in by] for by in danger.cues()))
            for some, meaning in (
                (danger.words, (reading, True)),
                (danger.weak_words, (reading, False)),
                (danger.innocent, None),
            ):
                words += some
                self._meaning += [meaning] * len(some)
        for cue in (*cues.values(), *([negation] if negation else [])):
            cue.found("", "")  # compiled with the rest
        # The longest from the left: what is innocent hides the word within it.
        self._automaton = AhoCorasick(
            words, matchkind=MatchKind.LeftmostLongest, implementation=Implementation.DFA
        )

    def alarms(self, text: str, *, asked: bool) -> tuple[Alarm, ...]:
        """The dangers a text reports, each once and what is certain first; ``asked``: it is a
        consultation.
        """
        found: dict[str, Alarm] = {}
        for pattern, start, end in self._automaton.find_matches_as_indexes(text):
            if meaning := self._meaning[pattern]:
                reading, strong = meaning
                level = self._level(reading, strong, *around(text, start, end), asked=asked)
                known = found.get(reading.danger.id)
                if level and (known is None or level > known.certain + 1):
                    found[reading.danger.id] = Alarm(reading.danger, text[start:end], level > 1)
        return tuple(sorted(found.values(), key=lambda alarm: not alarm.certain))

    def _level(
        self, reading: _Reading, strong: bool, before: str, after: str, *, asked: bool
    ) -> int:
        """2: it is reported; 1: it may be; 0: it is not."""

        def beside(cues: Iterable[Cue], where: tuple[str, str] = (before, after)) -> bool:
            return any(cue.found(*where) for cue in cues)

        if self._negation and self._negation.found(before, after):
            return 0
        level = 2 if strong else 1
        aside = (*reading.aside, *(reading.questioned if asked else ()))
        if beside(reading.doubtful):
            return 1
        if beside(aside):
            # In the word's own clause it is meant; elsewhere in the sentence it may be.
            level = 0 if beside(aside, clause(before, after)) else level - 1
        return level + 1 if level < 2 and beside(reading.confirmed) else level


def around(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after a word in its own sentence; the mark that ends it belongs to it."""
    before = _END.split(text[max(0, start - REACH) : start])[-1]
    after = text[end : end + REACH]
    ends = _END.search(after)
    return before, after[: ends.end()] if ends else after


def clause(before: str, after: str) -> tuple[str, str]:
    """What of a sentence belongs to the word's own clause; the mark that ends it does, too."""
    ends = _CLAUSE.search(after)
    return _CLAUSE.split(before)[-1], after[: ends.end()] if ends else after


def faults(dangers: Sequence[Danger], cues: Mapping[str, Cue]) -> Iterator[tuple[Where, str]]:
    """What is wrong between them: a danger or a word that stands twice, an innocent one that hides
    nothing, a cue that nobody knows or nobody names.
    """
    yield from _twins(dangers)
    named: set[str] = set()
    for at, danger in enumerate(dangers):
        for key, names in zip(CUES, danger.cues(), strict=True):
            named.update(names)
            for step, name in enumerate(names):
                if name not in cues:
                    yield ("dangers", at, key, step), unknown_code(name, list(cues))
    for name in cues.keys() - named:
        yield ("cues", name), "没有险情用到它 no danger names it"


def _twins(dangers: Sequence[Danger]) -> Iterator[tuple[Where, str]]:
    reporting = [word for danger in dangers for word in (*danger.words, *danger.weak_words)]
    seen: set[str] = set()
    ids: set[str] = set()
    for at, danger in enumerate(dangers):
        if danger.id in ids:
            yield ("dangers", at, "id"), f"{danger.id} 重复 stands here twice"
        ids.add(danger.id)
        for key in ("words", "weak_words", "innocent"):
            for step, word in enumerate(getattr(danger, key)):
                if word in seen:
                    yield ("dangers", at, key, step), f"{word} 重复 stands here twice"
                elif key == "innocent" and not any(each in word for each in reporting):
                    yield ("dangers", at, key, step), f"{word} 不含任何险情用语 hides no word"
                seen.add(word)


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
