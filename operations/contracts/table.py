"""docs/events.md: every fact, who says it, who hears it, and what its fields mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any

from pydantic import BaseModel

from operations.contracts.facts import Json, Plain, addressed, hearers, prose
from operations.runtime.registry import NAMES
from shared import events
from shared.events import FACTS, Data, Fact, OpenEnum

HEAD = """\
# 事实 Facts

What the services say to one another and to the units. Written by `make contracts` from
`shared/events/` and the services' subscriptions: change those, not this file.

A fact (事实) says what became true, in the past tense, once, by one speaker, and is never edited.
It goes over the topic exchange `jiesu.events` as a [CloudEvent](https://cloudevents.io) in
structured JSON. Its routing key is its name, with the unit's code behind it when it is addressed to
a unit: `assignment.signed.HC`. A unit's queue `unit.HC` is bound to `*.*.HC`. Deadlines of the
dispatch clock and the citizen's clock are addressed to nobody: these clocks are the ticket's own.
The unit feed, and `GET /v1/facts` of each service, give the same facts over HTTP.

Who reads facts

- receives each `id` once: a fact may come twice;
- assumes no order: judges by `time`, lets no `seq` lower than one seen of the same `source` and
  `subject` change a current state, and tries a fact again whose ground is not here yet;
- ignores fields it does not know. A type only ever gains optional fields; any other change is a new
  version, spoken beside the old one for one release.

Texts are working copies, and no fact names the citizen. A field with a word under *when absent* may
be left out and then has that value; no field is ever `null`. The same for programs: `schemas/` has
the JSON Schema of each whole fact, `asyncapi.yaml` the exchange and its queues. `glossary.md` has
the words, `tests/contract/samples` a frozen sample of every fact.

A fact has at most 256 KiB, its envelope included. A text may hold any letter but NUL and its kin, also
U+2028: split a stream or a file at line feeds and nowhere else. `content` of a dispatch carries the
newest 16,000 characters of what the citizen added; `supplements_left` says how many it leaves out.
一条事实至多 256 KiB；按换行符（U+000A）断行，别的字符都可能出现在文本中。
"""


def table_of_facts() -> str:
    """docs/events.md."""
    lines = [
        HEAD,
        "## At a glance 一览\n",
        *_glance(),
        "## The envelope 信封\n",
        *_fields(Fact),
        *(line for name in NAMES for line in _chapter(name)),
        "## Words they share 共用的词\n",
        *(line for word in _shared_words() for line in _word(word)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _glance() -> Iterator[str]:
    rows = [
        (
            f"[`{kind.name}`](#{kind.name.replace('.', '')})",
            prose(kind),
            kind.speaker,
            ", ".join(hearers(kind)) or "—",
            addressed(kind).value,
        )
        for kind in FACTS.values()
    ]
    return _table(("fact", "meaning", "says", "hears", "addressed to"), rows)


def _chapter(speaker: str) -> Iterator[str]:
    yield f"## Said by {speaker}\n"
    for kind in FACTS.values():
        if kind.speaker == speaker:
            yield f"### {kind.name}\n"
            yield f"{prose(kind)}\n"
            yield from _fields(kind)


def _fields(model: type[BaseModel]) -> Iterator[str]:
    document = model.model_json_schema(schema_generator=Plain)
    needed = document.get("required", ())
    rows = [
        (
            f"`{name}`",
            _spelled(field),
            "" if name in needed else _absent(field),
            field["description"],
        )
        for name, field in document["properties"].items()
    ]
    return _table(("field", "type", "when absent", "meaning"), rows)


def _spelled(field: Json) -> str:
    """A type in words."""
    match field:
        case {"$ref": ref}:
            name = ref.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": [one, {"type": "null"}]}:
            return _spelled(one)
        case {"enum": values}:
            return " · ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array", "items": item}:
            return f"list of {_spelled(item)}"
        case {"format": "date-time"}:
            return "instant"
        case {"format": named}:
            return str(named).upper()
        case {"type": named}:
            return str(named)
    return "object"


def _absent(field: Json) -> str:
    """What it means that an optional field is not there."""
    default = field.get("default")
    return "none" if default is None else f"`{json.dumps(default)}`"


def _shared_words() -> list[type[Any]]:
    """The enums and models of shared/events that stand inside facts."""
    return [
        value
        for value in vars(events).values()
        if isinstance(value, type)
        and value.__module__.startswith(events.__name__)
        and not issubclass(value, Data | Fact)
        and value is not OpenEnum
    ]


def _word(word: type[Any]) -> Iterator[str]:
    yield f"### {word.__name__}\n"
    yield f"{prose(word)}\n"
    if issubclass(word, Enum):
        yield " · ".join(f"`{member.value}`" for member in word) + "\n"
    else:
        yield from _fields(word)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return " | ".join(["", *(cell.replace("|", r"\|") for cell in cells), ""]).strip()
