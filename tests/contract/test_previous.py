"""The release before against this one: what it said is understood here, what is said here it can
read, what was asked of it may be asked here, and what it answered is answered here.

tests/contract/previous/ is the release before, frozen (``make freeze``, at a release only).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from shared.events import FACTS, Fact
from tests.fixtures.source import PROJECT

Json = dict[str, Any]
PREVIOUS = PROJECT / "tests" / "contract" / "previous"
OLD_FACTS = sorted((PREVIOUS / "samples").glob("*.json"))
NEW_FACTS = sorted((PROJECT / "tests" / "contract" / "samples").glob("*.json"))
SERVICES = sorted(path.stem for path in (PREVIOUS / "openapi").glob("*.json"))

# What this release changes on purpose, each with its reason; emptied when it is frozen.
# members of enums in facts: the release before keeps such facts
NEW_WORDS = frozenset(
    {
        "answering",
        "answered",
        "not_accepted",
        "handed_over",
        "merged",
        "unmerged",
        "hotline_review",
        "completion_audit",
        "split",
        "arbitration",
        "attend",
        "promise",
        "promise_moved",
        "promise_kept",
        "awaited",
        "promise_broken",
    }
)
# Where a request is refused that was taken. These had no bound: what we give out to be asked with was
# always shorter.
TIGHTER = frozenset(
    line.strip()
    for line in """
        dispatcher get /v1/facts subject
        dispatcher get /v1/tickets/{number}/assignments number
        dispatcher get /v1/unassigned after
        dispatcher get /v1/units/{code}/assignments after
        dispatcher get /v1/units/{code}/assignments code
        dispatcher get /v1/units/{code}/assignments status
        dispatcher get /v1/units/{code}/assignments status[]
        dispatcher get /v1/units/{code}/feed after
        dispatcher get /v1/units/{code}/feed code
        dispatcher get /v1/units/{code}/feed last-event-id
        dispatcher post /v1/tickets/{number}/assign number
        feedback get /v1/facts subject
        intake get /v1/codes/{table} If-None-Match
        intake get /v1/facts subject
        intake get /v1/tickets/{number} number
        intake get /v1/tickets/{number}/progress number
        intake post /v1/tickets/{number}/contact-reads number
        intake post /v1/tickets/{number}/supplements number
        intake post /v1/tickets/{number}/urges number
        intake post /v1/tickets/{number}/withdrawal number
        tracker get /v1/breaches after
        tracker get /v1/breaches unit
        tracker get /v1/facts subject
        tracker get /v1/tickets/{number}/clocks number""".splitlines()
)


@cache
def document(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


# --- comparing two schemas -----------------------------------------------------------------------


class Compared:
    """An old and a new schema of one thing, each in its document."""

    def __init__(self, old_document: Json, new_document: Json) -> None:
        self._documents = old_document, new_document

    def _resolved(self, schema: Json, which: int) -> Json:
        while "$ref" in schema:
            found: Any = self._documents[which]
            for word in schema["$ref"].removeprefix("#/").split("/"):
                found = found[word]
            schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema

    def _kinds(self, schema: Json, which: int) -> dict[str, Json]:
        """The alternatives of a schema, by type."""
        schema = self._resolved(schema, which)
        if "anyOf" not in schema:
            return {str(schema.get("type", "const" if "const" in schema else "any")): schema}
        found = [self._kinds(one, which) for one in schema["anyOf"]]
        return {kind: one for kinds in found for kind, one in kinds.items()}

    def faults(self, old: Json, new: Json, said: bool, at: str) -> Iterator[str]:
        """What breaks who goes by the old one: ``said`` by us, else asked of us."""
        before, after = self._kinds(old, 0), self._kinds(new, 1)
        wider = set(after) - set(before) if said else set(before) - set(after)
        if wider - {"any"} and "any" not in before | after:
            yield f"{at}: type"
        for kind in before.keys() & after.keys():
            yield from self._words(before[kind], after[kind], said, at)
            yield from self._members(before[kind], after[kind], said, at)
            if "items" in before[kind] and "items" in after[kind]:
                yield from self.faults(before[kind]["items"], after[kind]["items"], said, f"{at}[]")
            if not said:
                yield from self._bounds(before[kind], after[kind], at)

    def _words(self, old: Json, new: Json, said: bool, at: str) -> Iterator[str]:
        before = set(old.get("enum", [old["const"]] if "const" in old else ()))
        after = set(new.get("enum", [new["const"]] if "const" in new else ()))
        if said and before and (after - before - NEW_WORDS or not after):
            yield f"{at}: new words {sorted(after - before)}"
        if not said and after and (before - after or not before):
            yield f"{at}: words are gone {sorted(before - after)}"

    def _members(self, old: Json, new: Json, said: bool, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must = set(old.get("required", ())), set(new.get("required", ()))
        for name in before.keys() - after.keys():
            if said or new.get("additionalProperties") is False:
                yield f"{at}.{name}: is gone"
        for name in (must[0] - must[1]) & before.keys() if said else must[1] - must[0]:
            yield f"{at}.{name}: " + ("may be missing" if said else "must be sent")
        for name in before.keys() & after.keys():
            yield from self.faults(before[name], after[name], said, f"{at}.{name}")

    def _bounds(self, old: Json, new: Json, at: str) -> Iterator[str]:
        for bound, sign in (("maxLength", 1), ("maxItems", 1), ("maximum", 1), ("minLength", -1),
                            ("minItems", -1), ("minimum", -1)):  # fmt: skip
            if bound in new and sign * new[bound] < sign * old.get(bound, sign * float("inf")):
                yield f"{at}: {bound} is tighter"
        if new.get("pattern") not in (None, old.get("pattern")):
            yield f"{at}: pattern"


def on_purpose(faults: Iterator[str]) -> list[str]:
    return sorted({fault for fault in faults if fault.partition(":")[0] not in TIGHTER})


# --- facts ---------------------------------------------------------------------------------------


def lost(said: Any, again: Any, at: str = "") -> Iterator[str]:
    """What of a document is not in another, by path."""
    if isinstance(said, dict) and isinstance(again, dict):
        for key, value in said.items():
            yield from lost(value, again.get(key), f"{at}.{key}")
    elif said != again:
        yield at


@pytest.mark.parametrize("path", OLD_FACTS, ids=lambda path: path.stem)
def test_what_the_release_before_said_means_the_same_here(path: Path) -> None:
    said = document(path)
    assert list(lost(said, json.loads(Fact.decode(json.dumps(said)).encode()))) == []


@pytest.mark.parametrize("path", NEW_FACTS, ids=lambda path: path.stem)
def test_the_release_before_can_read_what_is_said_here(path: Path) -> None:
    said = document(path)
    schema = PREVIOUS / "schemas" / f"{said['type'].removeprefix('cn.jiesu.')}.json"
    if schema.exists():  # what it never heard of it keeps
        Draft202012Validator(document(schema)).validate(said)


@pytest.mark.parametrize(
    "path", sorted((PREVIOUS / "schemas").glob("*.json")), ids=lambda p: p.stem
)
def test_a_fact_only_gained_optional_members(path: Path) -> None:
    assert f"cn.jiesu.{path.stem}" in FACTS
    old, new = document(path), document(PROJECT / "docs" / "schemas" / path.name)
    assert on_purpose(Compared(old, new).faults(old, new, True, path.stem)) == []


# --- requests and answers ------------------------------------------------------------------------


def operations(service: str) -> Iterator[tuple[str, str, Json, Json]]:
    """Path, method, and what both releases say of it."""
    old = document(PREVIOUS / "openapi" / f"{service}.json")["paths"]
    new = document(PROJECT / "docs" / "openapi" / f"{service}.json")["paths"]
    for path, methods in old.items():
        for method, operation in methods.items():
            yield path, method, operation, new.get(path, {}).get(method, {})


def both(service: str) -> Compared:
    return Compared(
        document(PREVIOUS / "openapi" / f"{service}.json"),
        document(PROJECT / "docs" / "openapi" / f"{service}.json"),
    )


def body(part: Json) -> Json:
    found: Json = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_asked_may_be_asked(service: str) -> None:
    compared = both(service)

    def faults() -> Iterator[str]:
        for path, method, old, new in operations(service):
            at = f"{service} {method} {path}"
            if not new:
                yield f"{at}: is gone"
                continue
            yield from compared.faults(
                body(old.get("requestBody", {})), body(new.get("requestBody", {})), False, at
            )
            known = {one["name"]: one for one in new.get("parameters", ())}
            asked = {one["name"]: one for one in old.get("parameters", ())}
            yield from (f"{at} {name}: is gone" for name in asked.keys() - known.keys())
            for name, one in known.items():
                if name in asked:
                    there = f"{at} {name}"
                    yield from compared.faults(asked[name]["schema"], one["schema"], False, there)
                elif one.get("required"):
                    yield f"{at} {name}: must be sent"

    assert on_purpose(faults()) == []


@pytest.mark.parametrize("service", SERVICES)
def test_what_was_answered_is_answered(service: str) -> None:
    compared = both(service)

    def faults() -> Iterator[str]:
        for path, method, old, new in operations(service):
            for status, answer in old["responses"].items():
                at, told = f"{service} {method} {path} {status}", new.get("responses", {})
                if status not in told and status < "300":
                    yield f"{at}: is gone"
                elif status in told:
                    yield from compared.faults(body(answer), body(told[status]), True, at)

    assert on_purpose(faults()) == []


def matching(service: str, method: str, path: str) -> Json:
    """What this release says of a request that was recorded."""
    words = path.split("/")
    for template, methods in document(PROJECT / f"docs/openapi/{service}.json")["paths"].items():
        names = template.split("/")
        if len(names) == len(words) and all(
            name == word or name.startswith("{") for name, word in zip(names, words, strict=True)
        ):
            found: Json = methods.get(method.lower(), {})
            return found
    return {}


def test_recorded_requests_and_answers_are_still_good() -> None:
    """By the documents of this release: what was asked fits them, and so do the answers but for
    members that came since.
    """
    exchanges = document(PREVIOUS / "exchanges.json")
    assert len(exchanges) > 50
    for one in exchanges:
        operation = matching(one["service"], one["method"], one["path"])
        whole = document(PROJECT / "docs" / "openapi" / f"{one['service']}.json")
        at = f"{one['service']} {one['method']} {one['path']}"
        assert operation, at
        if one["body"] is not None:
            schema = body(operation["requestBody"])
            within = {**schema, "components": whole["components"]}
            Draft202012Validator(within).validate(one["body"])
        schema = body(operation["responses"][str(one["status"])])
        within = {**schema, "components": whole["components"]}
        for error in Draft202012Validator(within).iter_errors(one["answer"]):
            assert "is a required property" in error.message, f"{at}: {error.message}"


# --- the comparison sees -------------------------------------------------------------------------

OLD: Json = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("said", "changes", "fault"),
    [
        (True, {"required": []}, "may be missing"),
        (True, {"properties": {"a": OLD["properties"]["a"]}}, "is gone"),
        (True, {"properties": OLD["properties"] | {"b": {"type": "string"}}}, "type"),
        (
            True,
            {"properties": OLD["properties"] | {"a": {"type": "string", "enum": ["z"]}}},
            "word",
        ),
        (False, {"required": ["a", "b"]}, "must be sent"),
        (
            False,
            {"properties": OLD["properties"] | {"a": {"type": "string", "enum": ["x"]}}},
            "word",
        ),
        (
            False,
            {"properties": OLD["properties"] | {"b": {"type": "integer", "maximum": 3}}},
            "max",
        ),
        (True, {"properties": OLD["properties"] | {"c": {"type": "string"}}}, ""),
        (False, {"properties": OLD["properties"] | {"c": {"type": "string"}}}, ""),
    ],
)
def test_a_breaking_change_is_seen(said: bool, changes: Json, fault: str) -> None:
    found = list(Compared(OLD, OLD | changes).faults(OLD, OLD | changes, said, "it"))
    assert bool(found) == bool(fault)
    assert all(fault in one for one in found)
