"""The envelope every fact travels in: a CloudEvent in structured JSON."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import ContractError, OtherVersion

PREFIX = "cn.jiesu."


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
    def full_name(cls) -> str:
        """CloudEvents type, for example ``cn.jiesu.assignment.signed.v1``."""
        return f"{PREFIX}{cls.name}.v{cls.version}"


# Every fact by its type; two versions of one name may be spoken side by side for one release.
FACTS: dict[str, type[Data]] = {}

Word = Annotated[str, Field(pattern=r"^[\w:.-]{1,64}$")]
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

        Raises OtherVersion for a version we do not know of a fact we do know, ContractError when
        it fits no contract. The message names fields, never values: it goes to logs and to the
        retry table.
        """
        try:
            fact = cls.model_validate(orjson.loads(body))
            known = FACTS.get(fact.type)
            if known is None:
                same = any(kind.name == fact.name for kind in FACTS.values())
                raise (OtherVersion if same else ContractError)(f"unknown type {fact.type!r}")
            return fact.model_copy(update={"data": known.model_validate(fact.data)})
        except ValidationError as broken:
            raise ContractError(_faults(broken)) from None
        except orjson.JSONDecodeError:
            raise ContractError("the body is not JSON") from None


def _faults(broken: ValidationError) -> str:
    rows = broken.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)
