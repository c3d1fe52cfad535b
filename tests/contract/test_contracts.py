"""The promises in docs/: they say what the code does, and a fact type only ever gains fields.

A frozen sample is a fact as an older release said it: never edit one. A new fact, or a new optional
field, gets a sample of its own (``<fact>.v1.json``, ``<fact>.v1.2.json`` …).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import schemathesis
import yaml
from jsonschema_rs import Draft202012Validator
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import Field, create_model

from operations import contracts
from operations.contracts.facts import heard, keys, schema_file
from operations.contracts.vocabulary import WORDS
from operations.runtime.registry import NAMES, part, topology
from shared import events
from shared.errors import ContractError
from shared.events import FACTS, Data, Fact, TicketRegistered, TicketUrged
from shared.http.problems import MEDIA
from tests.fixtures.samples import write_missing
from tests.fixtures.source import PROJECT, called, files, tree

DOCS = PROJECT / "docs"
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
KINDS = [value for value in vars(events).values() if isclass(value) and issubclass(value, Data)]
KINDS.remove(Data)
OPERATIONS = {"/healthz", "/readyz", "/metrics", "/v1/facts", "/clock"}
PATTERNS = [(name, pattern) for name in NAMES for pattern in part(name).subscriptions]
Json = dict[str, Any]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
each_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
each_service = pytest.mark.parametrize("service", NAMES)


# --- docs/ and the code -------------------------------------------------------------------------


def test_docs_are_what_make_contracts_writes(tmp_path: Path) -> None:
    written = {path.relative_to(tmp_path) for path in contracts.write(tmp_path)}
    committed = {
        path.relative_to(DOCS)
        for pattern in (
            "events.md",
            "errors.md",
            "connect-phone.md",
            "asyncapi.yaml",
            "openapi/*",
            "schemas/*",
        )
        for path in DOCS.glob(pattern)
    }
    differing = sorted(
        str(path)
        for path in written | committed
        if path not in written & committed
        or (tmp_path / path).read_bytes() != (DOCS / path).read_bytes()
    )
    assert differing == [], "docs/ and the code differ: run `make contracts` and look at the change"


def test_what_is_no_more_is_dropped(tmp_path: Path) -> None:
    contracts.write(tmp_path)
    stale = tmp_path / "schemas" / "ticket.forgotten.v1.json"
    stale.touch()
    assert contracts.write(tmp_path) == []  # the others are as they were
    assert not stale.exists()


# --- who says, who hears ------------------------------------------------------------------------


def test_a_name_belongs_to_one_fact() -> None:
    assert [kind.full_name() for kind in KINDS] == list(FACTS)
    assert {kind.speaker for kind in KINDS} <= set(NAMES)


@each_kind
def test_a_fact_says_what_it_means(kind: type[Data]) -> None:
    assert kind.__doc__
    assert kind.__doc__ != Data.__doc__


def test_every_described_word_is_used() -> None:
    models = [value for value in vars(events).values() if hasattr(value, "model_fields")]
    known = {f"{model.__name__}.{field}" for model in models for field in model.model_fields}
    assert {word for word in WORDS if "." in word} <= known
    assert set(WORDS) - known == {name.partition(".")[2] for name in known}


@pytest.mark.parametrize(("service", "pattern"), PATTERNS)
def test_every_subscription_hears_something(service: str, pattern: str) -> None:
    assert [kind.name for kind in KINDS if heard(kind, pattern)], f"nobody says {pattern}"


def test_a_pattern_nobody_answers_hears_nothing() -> None:
    deaf = ["assignment.signed", "ticket.closed.*", "ticket.lost", "*.*.*.*"]
    assert [kind for kind in KINDS if heard(kind, *deaf)] == []


def makers(kind: type[Data]) -> set[str]:
    """The services whose code makes a fact of this class."""
    return {name for name in NAMES for made, _ in calls(name) if made == kind.__name__}


def calls(service: str) -> Iterator[tuple[str, int]]:
    for path in files(f"services/{service}"):
        yield from ((name.rpartition(".")[2], line) for name, line in called(tree(path)))


def mentions(service: str) -> set[str]:
    """Every name the code of a service uses."""
    nodes = [node for path in files(f"services/{service}") for node in ast.walk(tree(path))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@each_kind
def test_only_its_speaker_says_a_fact(kind: type[Data]) -> None:
    """The other half, that an outbox refuses another's fact, is in test_never_lost."""
    assert makers(kind) <= {kind.speaker}
    assert kind.__name__ in mentions(kind.speaker), f"{kind.speaker} never says {kind.name}"


def test_a_maker_is_seen() -> None:
    assert makers(TicketRegistered) == {"intake"}


def test_units_are_bound_as_published() -> None:
    declared = topology(PROJECT / "config" / "ziyang")
    operations = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))["operations"]
    assert declared["unit.HC"] == [
        pattern.replace("{unit}", "HC") for pattern in operations["unit.hears"]["x-bound-to"]
    ]
    for name in NAMES:
        assert declared[f"svc.{name}"] == operations[f"{name}.hears"]["x-bound-to"]


def references(document: Any) -> Iterator[str]:
    """Every $ref below a document."""
    if isinstance(document, dict):
        yield from (target for key, target in document.items() if key == "$ref")
    for part_of in document.values() if isinstance(document, dict) else document:
        if isinstance(part_of, dict | list):
            yield from references(part_of)


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))
    targets = set(references(document))
    assert len(targets) > len(KINDS)
    for target in targets:
        if target.startswith("#/"):
            found: Any = document
            for word in target.removeprefix("#/").split("/"):
                found = found[word]
        else:
            assert (DOCS / target).is_file(), target


# --- frozen samples -----------------------------------------------------------------------------


def read(path: Path) -> Json:
    """A sample, or another document, as JSON."""
    document: Json = json.loads(path.read_text("utf-8"))
    return document


def lost(said: Any, again: Any, at: str = "") -> list[str]:
    """What of a document is not in another, by path; more in the other is no loss."""
    if isinstance(said, dict) and isinstance(again, dict):
        return [
            fault
            for key, value in said.items()
            for fault in lost(value, again.get(key), f"{at}.{key}")
        ]
    if isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        pairs = enumerate(zip(said, again, strict=True))
        return [fault for i, (one, other) in pairs for fault in lost(one, other, f"{at}.{i}")]
    return [] if said == again and type(said) is type(again) else [at]


def faults(sample: Json) -> list[str]:
    """What today's classes cannot read of a fact, or lose when they say it again."""
    try:
        fact = Fact.decode(json.dumps(sample))
    except ContractError as refused:
        return [str(refused)]
    return lost(sample, json.loads(fact.encode()))


@contextmanager
def changed(kind: type[Data], *without: str, **fields: Any) -> Iterator[None]:
    """Another language, in which one fact has lost some fields and has others instead."""
    kept: Json = {
        name: (field.annotation, field)
        for name, field in kind.model_fields.items()
        if name not in {*without, *fields}
    }
    spoken = {"name": kind.name, "by": kind.speaker}
    try:
        create_model(kind.__name__, __base__=Data, __cls_kwargs__=spoken, **kept, **fields)
        yield
    finally:
        FACTS[kind.full_name()] = kind


def sample_of(kind: type[Data]) -> Json:
    """The first sample of a fact."""
    return next(sample for sample in map(read, SAMPLES) if sample["type"] == kind.full_name())


@each_sample
def test_a_frozen_sample_stays_readable(path: Path) -> None:
    assert faults(read(path)) == [], "a released fact only ever gains optional fields: speak a v2"


@each_kind
def test_every_field_stands_in_a_sample(kind: type[Data]) -> None:
    said = {
        field
        for sample in map(read, SAMPLES)
        if sample["type"] == kind.full_name()
        for field in sample["data"]
    }
    assert said == set(kind.model_fields), "freeze one more sample; never edit one"


@each_kind
def test_no_field_can_be_removed(kind: type[Data]) -> None:
    samples = [each for each in map(read, SAMPLES) if each["type"] == kind.full_name()]
    for field in kind.model_fields:
        with changed(kind, field):
            assert any(map(faults, samples)), field
    assert not any(map(faults, samples))


BREAKING: dict[str, tuple[type[Data], tuple[str, ...], Json]] = {
    "renamed": (TicketUrged, ("times",), {"count": (int, ...)}),
    "renamed, optional": (TicketRegistered, ("flags",), {"marks": (tuple[str, ...], ())}),
    "shorter": (TicketUrged, (), {"note": (Annotated[str, Field(max_length=3)], ...)}),
    "narrower": (TicketRegistered, (), {"type": (Literal["help", "report"], ...)}),
    "another type": (TicketUrged, (), {"times": (str, ...)}),
    "one more, required": (TicketUrged, (), {"urged_by": (str, ...)}),
}
HARMLESS: dict[str, tuple[type[Data], tuple[str, ...], Json]] = {
    "as it is": (TicketUrged, (), {}),
    "one more, optional": (TicketUrged, (), {"urged_by": (str | None, None)}),
    "longer": (TicketUrged, (), {"note": (Annotated[str, Field(max_length=10_000)], ...)}),
    "no longer required": (TicketUrged, (), {"times": (int, 1)}),
}


@pytest.mark.parametrize("change", BREAKING)
def test_a_breaking_change_is_seen(change: str) -> None:
    kind, without, fields = BREAKING[change]
    with changed(kind, *without, **fields):
        assert faults(sample_of(kind))


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_change_is_let_through(change: str) -> None:
    kind, without, fields = HARMLESS[change]
    with changed(kind, *without, **fields):
        assert faults(sample_of(kind)) == []


@each_sample
def test_what_a_newer_speaker_adds_is_ignored(path: Path) -> None:
    sample = read(path)
    newer = sample | {"region": "new", "data": sample["data"] | {"mood": "new"}}
    assert Fact.decode(json.dumps(newer)) == Fact.decode(json.dumps(sample))


@each_sample
def test_a_sample_is_addressed_as_published(path: Path) -> None:
    fact = Fact.decode(path.read_bytes())
    published = {key.replace("{unit}", fact.unit or "") for key in keys(FACTS[fact.type])}
    assert fact.key in published


# --- JSON Schemas -------------------------------------------------------------------------------


def validator(kind: type[Data]) -> Draft202012Validator:
    """The published schema of a fact."""
    return Draft202012Validator(read(DOCS / schema_file(kind)), validate_formats=True)


@each_sample
def test_a_sample_fits_its_schema(path: Path) -> None:
    sample = read(path)
    kind = FACTS[sample["type"]]
    validator(kind).validate(sample)


@each_kind
def test_whatever_can_be_said_fits_its_schema(kind: type[Data]) -> None:
    ModelFactory.seed_random(1)
    factory = ModelFactory.create_factory(kind)
    envelope = Fact.model_validate(sample_of(kind))
    for data in factory.batch(20):
        fact = envelope.model_copy(update={"data": data})
        validator(kind).validate(json.loads(fact.encode()))
        assert Fact.decode(fact.encode()).data == data


@pytest.mark.parametrize(
    "spoiled",
    [
        {"specversion": "0.3"},
        {"type": "cn.jiesu.assignment.dispatched.v2"},
        {"source": "tracker"},
        {"unit": None},
        {"seq": 0},
        {"id": "one"},
        {"time": "yesterday"},
        {"data": {"role": "lead"}},
    ],
    ids=lambda spoiled: next(iter(spoiled)),
)
def test_a_schema_refuses_what_is_none(spoiled: Json) -> None:
    kind = FACTS["cn.jiesu.assignment.dispatched.v1"]
    said = {key: value for key, value in (sample_of(kind) | spoiled).items() if value is not None}
    assert not validator(kind).is_valid(said)


# --- OpenAPI ------------------------------------------------------------------------------------


def answers(service: str) -> Iterator[tuple[str, str, Json]]:
    """Operation, status and answer: everything a service answers, as published."""
    for path, methods in read(DOCS / "openapi" / f"{service}.json")["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                yield f"{method} {path}", status, answer


@each_service
def test_openapi_is_valid(service: str) -> None:
    schemathesis.openapi.from_dict(read(DOCS / "openapi" / f"{service}.json")).validate()


@each_service
def test_every_error_is_a_problem(service: str) -> None:
    problem = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    errors = [row for row in answers(service) if row[1] >= "400"]
    assert {(at, status) for at, status, answer in errors if answer["content"] != problem} == set()
    assert {"413", "500", "503"} <= {status for _, status, _ in errors}
    document = read(DOCS / "openapi" / f"{service}.json")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "Problem" in document["components"]["schemas"]


@each_service
def test_every_reference_of_openapi_leads_somewhere(service: str) -> None:
    document = read(DOCS / "openapi" / f"{service}.json")
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= schemas


@each_service
def test_what_every_service_has_is_published(service: str) -> None:
    assert set(read(DOCS / "openapi" / f"{service}.json")["paths"]) >= OPERATIONS


# --- new samples --------------------------------------------------------------------------------


def test_a_sample_is_made_for_a_fact_that_has_none(tmp_path: Path) -> None:
    written = write_missing(tmp_path)
    assert {read(path)["type"] for path in written} == set(FACTS)
    for path in written:
        sample = read(path)
        assert faults(sample) == []
        assert set(sample["data"]) == set(FACTS[sample["type"]].model_fields)
    assert write_missing(tmp_path) == []


def test_no_fact_waits_for_its_sample() -> None:
    lacking = {kind.full_name() for kind in KINDS} - {read(path)["type"] for path in SAMPLES}
    assert lacking == set(), "run `make contracts`, then give the new sample telling values"
