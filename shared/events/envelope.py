"""The envelope every fact travels in: a CloudEvent in structured JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self, TypeGuard
from uuid import UUID

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from shared.errors import ContractError, NewerFact
from shared.events.words import OpenEnum

PREFIX = "cn.jiesu."
TYPE = re.compile(r"cn\.jiesu\.[a-z_]{1,40}\.[a-z_]{1,40}\.v[0-9]{1,4}")


class Data(BaseModel):
    """Base of every fact's own part. Unknown fields of a newer speaker are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str]
    speaker: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, name: str, by: str, version: int = 1, **kwargs: Any) -> None:
        cls.version = version
        super().__init_subclass__(**kwargs)
        cls.name, cls.speaker = name, by
        FACTS[cls.full_name()] = cls

    @classmethod
    def on_record(cls, row: Mapping[str, Any]) -> Self:
        """A fact's data as it stands in a row, which a newer release may have written: its words
        are read as their enums read them, with none refused.
        """
        fields = cls.model_fields.items()
        words = {name: kind for name, field in fields if is_open(kind := field.annotation)}
        known = {name: kind(row[name]) for name, kind in words.items() if name in row}
        return cls.model_validate({**row, **known})

    @classmethod
    def full_name(cls) -> str:
        """CloudEvents type, for example ``cn.jiesu.assignment.signed.v1``."""
        return f"{PREFIX}{cls.name}.v{cls.version}"


def is_open(kind: Any) -> TypeGuard[type[OpenEnum]]:
    """Whether a field is one word of an open enum."""
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


# Every fact by its type; two versions of one name may be spoken side by side for one release.
FACTS: dict[str, type[Data]] = {}

WORD_PATTERN = r"^[\w:.-]{1,64}$"
# Told as one pattern and checked as two rules: pydantic's own engine unrolls {1,64} over all letters
# there are, megabytes in every process.
Word = Annotated[
    str,
    StringConstraints(pattern=r"^[\w:.-]+$", max_length=64),
    WithJsonSchema({"type": "string", "pattern": WORD_PATTERN}),
]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]  # every reader keeps it in four bytes


class Fact(BaseModel):
    """One fact in its envelope.

    ``time`` is when it became true, ``recorded`` when it was written down; rules judge by ``time``
    and never by arrival. ``seq`` counts 1, 2, 3 … per subject and source. ``unit`` is the unit the
    fact is addressed to and, when present, the last word of the routing key.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    type: str
    source: Word
    subject: Word
    time: AwareDatetime
    recorded: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    seq: Count
    round: Count = 1
    assignment: UUID | None = None
    unit: Word | None = None
    actor: str
    traceparent: str | None = None
    data: Any

    @property
    def name(self) -> str:
        """Name without prefix and version: ``assignment.signed``."""
        return self.type.removeprefix(PREFIX).rpartition(".v")[0]

    @property
    def key(self) -> str:
        """Routing key: the name, and the unit when the fact is addressed to one."""
        return f"{self.name}.{self.unit}" if self.unit else self.name

    def encode(self) -> bytes:
        """The fact as CloudEvents structured JSON."""
        return orjson.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def decode(cls, body: bytes | str) -> Self:
        """Read a fact off the wire with its data as the class of its type.

        Raises NewerFact for a type, a version or a word that only a newer release can know, and
        ContractError when it fits no contract. The message names fields, never values: it goes to
        logs and to the retry table.
        """
        fact = cls.envelope(body)
        kind = FACTS.get(fact.type)
        if kind is None:
            if not TYPE.fullmatch(fact.type):
                raise ContractError("type: it is none of ours")
            known = "version" if speaker_of(fact.name) else "type"
            raise NewerFact(f"unknown {known} {fact.type!r}", fact)
        try:
            return fact.model_copy(update={"data": kind.model_validate(fact.data)})
        except ValidationError as broken:
            raise _refusal(broken, fact) from None

    @classmethod
    def envelope(cls, body: bytes | str) -> Self:
        """Read what every fact has, and leave its data as it was said. Raises ContractError."""
        try:
            return cls.model_validate(orjson.loads(body))
        except ValidationError as broken:
            raise ContractError(_faults(broken.errors(**BRIEF))) from None
        except orjson.JSONDecodeError:
            raise ContractError("the body is not JSON") from None


def speaker_of(name: str) -> str | None:
    """Who says facts of a name, whatever their version; None for a name we do not know."""
    return next((kind.speaker for kind in FACTS.values() if kind.name == name), None)


@lru_cache(maxsize=4)
def _digest_of(kinds: tuple[type[Data], ...]) -> str:
    schemas = [(kind.full_name(), kind.model_json_schema()) for kind in kinds]
    return hashlib.sha256(orjson.dumps(schemas)).hexdigest()[:12]


def vocabulary() -> str:
    """A digest of all that this release can read: two that differ may read different facts."""
    return _digest_of(tuple(FACTS.values()))


BRIEF: Any = {"include_input": False, "include_url": False}
WORDS = {"enum", "literal_error"}  # what pydantic calls a word that is not in the list
WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")  # what a release may add to one


def _refusal(broken: ValidationError, fact: Fact) -> ContractError:
    """Newer when nothing is wrong but words that are not in our lists, and steps above our last: a release
    adds both.
    """
    rows = broken.errors(include_url=False)
    newer = all(_is_above(row) or (row["type"] in WORDS and _is_word(row["input"])) for row in rows)
    return NewerFact(_faults(rows), fact) if newer else ContractError(_faults(rows))


def _is_above(row: Any) -> bool:
    """Whether it is a whole number beyond the last, as a rung is; of measures, such as a longitude, there is
    no more to come.
    """
    return row["type"] == "less_than_equal" and isinstance(row["ctx"]["le"], int)


def _is_word(said: Any) -> bool:
    return isinstance(said, str) and WORD.fullmatch(said) is not None


def _faults(rows: Iterable[Any]) -> str:
    return "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
