"""Which file may import what, as a table; the layers are import-linter's (``make lint``)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.source import files, imported, tree

OURS = {"shared", "services", "operations", "examples", "tests"}
# Parts of the standard library that reach outside the process or change from call to call.
IMPURE = {
    "asyncio", "glob", "http", "io", "multiprocessing", "os", "pathlib", "random", "secrets",
    "shutil", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class May:
    """What one kind of file may import: files of its own service, of shared, packages of others.

    ``shared=None`` is all of shared. ``pure`` files get no part of the library that does I/O.
    """

    own: frozenset[str]
    others: frozenset[str]
    shared: frozenset[str] | None = None
    pure: bool = False


def names(words: str) -> frozenset[str]:
    return frozenset(words.split())


PURE = names(
    "caller errors events jurisdiction.calendar jurisdiction.codes jurisdiction.limits"
    " jurisdiction.gazetteer jurisdiction.sections jurisdiction.urgency jurisdiction.wording"
    " security.masking security.numbers security.reading"
)
STORAGE = names("sqlalchemy sqlmodel pydantic orjson uuid6")
MAY: dict[str, May] = {
    "main": May(
        names("routes consumers jobs models settings shares stuck feed vault webhook"),
        names("fastapi"),
        names("app part service"),
    ),
    "routes": May(
        names(
            "usecases records views figures verdicts correction_routes feed codes call_routes search"
            " calls claims registration shares schemas settings ending_routes contact_routes neighbours"
            " duty_routes due_routes returning co_handling_routes suggestion_routes figure_routes"
            " duplicates merging list_routes arbitration_routes"
            " handing_down_routes handler_routes"
        ),
        names("fastapi pydantic orjson"),
    ),
    "consumers": May(
        names("usecases corrections merging endings feed clocks returns arbitration settings"),
        names(""),
    ),
    "jobs": May(
        names(
            "usecases merging returning arbitration records callers search calls phone feed readlog"
            " settings"
        ),
        names(""),
    ),
    "usecases": May(
        names(
            "rules models records views schemas settings registration vault rights clockwork orders"
            " merging feed endings search returning co_handling suggestions arbitration"
        ),
        STORAGE,
    ),
    "records": May(names("rules models arbitration_models settings"), STORAGE),
    "views": May(names("rules models records schemas list_schemas search settings"), STORAGE),
    "search": May(names("rules models records settings"), STORAGE),
    "stuck": May(names("rules models records settings call_models arbitration_models"), STORAGE),
    "registration": May(
        names(
            "call_records claims sources end_records rules models records views schemas search settings"
        ),
        STORAGE,
    ),
    "endings": May(
        names(
            "end_records usecases rules models records vault views schemas ending_schemas settings"
        ),
        STORAGE,
    ),
    "end_records": May(names("rules models records schemas settings"), STORAGE),
    "ending_routes": May(
        names("endings ending_views malicious records schemas ending_schemas settings"),
        names("fastapi pydantic"),
    ),
    "malicious": May(names("rules models records vault ending_schemas settings"), STORAGE),
    "ending_schemas": May(
        names("rules schemas"), names("pydantic"), PURE | names("http.fields http.problems")
    ),
    "ending_views": May(
        names("malicious rules models records views schemas ending_schemas settings"), STORAGE
    ),
    "sources": May(names("claims records rules sealing settings"), STORAGE),
    "locating": May(names("rules schemas settings"), names("pydantic")),
    "claims": May(names("naming locating records rules schemas settings"), STORAGE),
    "shares": May(names("settings"), names("")),
    "naming": May(names("schemas settings"), names("pydantic")),
    "vault": May(
        names("call_records rules models records readlog sealing settings call_models"), STORAGE
    ),
    "callers": May(names("rules models records readlog schemas settings vault"), STORAGE),
    "call_routes": May(
        names(
            "callers calls call_lists call_schemas rules records schemas settings contact_schemas"
        ),
        names("fastapi pydantic"),
    ),
    "readlog": May(names("rules models records settings"), STORAGE),
    "rights": May(
        names("rules models records readlog vault schemas settings contact_schemas"), STORAGE
    ),
    "contact_routes": May(
        names("rights neighbours rules records schemas contact_schemas"), names("fastapi pydantic")
    ),
    "neighbours": May(names("settings"), names("httpx pydantic")),
    "clocks": May(names("models records"), STORAGE),
    "lists": May(
        names("rules models records views narrowing list_schemas schemas settings"), STORAGE
    ),
    "narrowing": May(names("models records list_schemas"), STORAGE),
    "list_routes": May(
        names("lists views handlers list_schemas schemas records"), names("fastapi")
    ),
    "handing_down_routes": May(
        names("handing_down handing_down_schemas schemas"), names("fastapi pydantic")
    ),
    "handing_down_schemas": May(names("schemas"), names("pydantic")),
    "handing_down": May(
        names(
            "rules models records orders co_handling returning views schemas handing_down_schemas"
        ),
        STORAGE,
    ),
    "handler_routes": May(names("handlers handler_schemas schemas"), names("fastapi pydantic")),
    "handler_schemas": May(names("schemas"), names("pydantic")),
    "handlers": May(names("rules records orders views schemas handler_schemas"), STORAGE),
    "list_schemas": May(names("schemas rules"), names("pydantic"), PURE | names("http.fields")),
    "co_handling": May(
        names("rules models records views schemas orders merging returning"), STORAGE
    ),
    "co_handling_routes": May(names("co_handling schemas"), names("fastapi pydantic")),
    "duty_routes": May(names("rules records"), names("fastapi pydantic")),
    "due_routes": May(names("rules models records"), names("fastapi pydantic sqlmodel")),
    "suggestions": May(names("rules models records settings"), STORAGE),
    "suggestion_routes": May(names("suggestions records"), names("fastapi pydantic")),
    "sealing": May(names("rules"), names("cryptography")),
    "digests": May(names("rules"), names("")),
    "codes": May(names("rules schemas settings"), names("pydantic orjson fastapi")),
    "orders": May(names("rules models arbitration_models records settings"), STORAGE),
    "duplicates": May(
        names("rules models records views schemas vault callers readlog settings"),
        names("fastapi pydantic sqlmodel"),
    ),
    "merging": May(
        names("rules models records views schemas orders clockwork vault settings"),
        STORAGE | names("fastapi"),
    ),
    "clockwork": May(names("rules models records"), STORAGE),
    "returns": May(names("clockwork rules models records settings"), STORAGE),
    "returning": May(
        names(
            "arbitration arbitration_models precedents orders rules models records views schemas settings"
        ),
        STORAGE,
    ),
    "arbitration": May(
        names(
            "arbitration_models arbitration_schemas arbitration_views clockwork merging orders rules"
            " models records settings"
        ),
        STORAGE,
    ),
    "arbitration_rulings": May(
        names(
            "arbitration arbitration_models arbitration_schemas arbitration_views precedents co_handling"
            " merging orders returning rules models records"
        ),
        STORAGE,
    ),
    "arbitration_views": May(
        names(
            "arbitration_models arbitration_schemas list_schemas lists narrowing orders rules models"
            " records"
        ),
        STORAGE,
    ),
    "precedents": May(
        names(
            "arbitration_models arbitration_schemas list_schemas narrowing orders rules models records"
        ),
        STORAGE,
    ),
    "arbitration_models": May(names("models"), names("sqlalchemy sqlmodel")),
    "arbitration_schemas": May(
        names("schemas list_schemas"), names("pydantic"), PURE | names("http.fields")
    ),
    "arbitration_routes": May(
        names(
            "arbitration arbitration_rulings arbitration_views precedents arbitration_schemas list_routes"
            " records"
        ),
        names("fastapi pydantic"),
    ),
    "feed": May(names("rules models records schemas settings"), STORAGE),
    "figures": May(
        names("rules models records schemas settings figure_schemas"),
        STORAGE,
        PURE | names("jurisdiction.period"),
    ),
    "figure_routes": May(names("figures figure_schemas records"), names("fastapi pydantic")),
    "figure_schemas": May(names("rules"), names("pydantic")),
    "correction_routes": May(
        names("corrections correction_schemas usecases records views schemas settings"),
        names("fastapi pydantic"),
    ),
    "correction_schemas": May(names("rules schemas"), names("pydantic pydantic_core")),
    "corrections": May(
        names(
            "rules models records correction_schemas naming usecases registration vault callers search"
            " orders merging co_handling rights sealing"
            " settings clockwork"
        ),
        STORAGE,
    ),
    "verdicts": May(names("rules models records usecases schemas settings"), STORAGE),
    "calls": May(
        names(
            "call_records call_schemas callers claims rules models records schemas usecases"
            " vault phone call_models readlog"
            " settings"
        ),
        STORAGE,
    ),
    "call_lists": May(
        names(
            "call_records call_schemas calls rules models records schemas settings call_models"
            " contact_schemas"
        ),
        STORAGE,
    ),
    "call_records": May(names("rules models records sealing settings call_models"), STORAGE),
    "call_schemas": May(names("callers rules schemas"), names("pydantic")),
    "webhook": May(names("rules settings"), names("fastapi pydantic")),
    "phone": May(names("rules settings webhook"), names("httpx orjson pydantic standardwebhooks")),
    "rules": May(
        names("rules"), names("pydantic ahocorasick_rs rapidfuzz phonenumbers"), PURE, pure=True
    ),
    "models": May(
        names("rules"),
        names("sqlalchemy sqlmodel pydantic"),
        PURE | names("storage messaging.outbox messaging.inbox"),
    ),
    "call_models": May(names("models"), names("sqlalchemy sqlmodel")),
    "contact_schemas": May(names("rules"), names("pydantic"), PURE | names("http.fields")),
    "schemas": May(
        names("rules"), names("pydantic pydantic_core"), PURE | names("http.fields http.problems")
    ),
    "settings": May(
        names("rules sealing digests"),
        names("pydantic pydantic_settings"),
        PURE | names("jurisdiction security settings"),
    ),
}


def trespasses(module: ast.Module, service: str, may: May) -> Iterator[str]:
    """The imports of a module that its kind of file may not have."""
    for name in imported(module):
        top, *rest = name.split(".")
        if top == "services":
            allowed = rest[0] == service and (len(rest) == 1 or rest[1] in may.own)
        elif top == "shared":
            allowed = may.shared is None or any(
                f"{'.'.join(rest)}.".startswith(f"{part}.") for part in may.shared
            )
        elif top in sys.stdlib_module_names:
            allowed = not (may.pure and top in IMPURE)
        else:
            allowed = top in may.others
        if not allowed:
            yield name


def of_services() -> list[tuple[str, str, Path]]:
    """Service, kind of file, path: for every file the table speaks of."""
    found = []
    for path in files(*(f"services/{service}" for service in NAMES)):
        service, kind = path.parts[1], Path(path.parts[2]).stem
        if kind in MAY:
            found.append((service, kind, path))
    return found


def test_files_import_what_the_table_allows() -> None:
    found = {
        str(path): list(trespasses(tree(path), service, MAY[kind]))
        for service, kind, path in of_services()
    }
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("rules", "from shared.storage.act import Act"),
        ("rules", "from shared import clock"),
        ("rules", "import os"),
        ("rules", "from sqlmodel import select"),
        ("rules", "from services.tracker.models import Clock"),
        ("routes", "from services.tracker.models import Clock"),
        ("routes", "from services.tracker import rules"),
        ("consumers", "from services.intake import usecases"),
        ("usecases", "import httpx"),
        ("usecases", "from services.tracker import routes"),
    ],
)
def test_the_fence_sees_a_trespass(kind: str, source: str) -> None:
    assert list(trespasses(ast.parse(source), "tracker", MAY[kind]))


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("rules", "from shared.jurisdiction.calendar import WorkCalendar"),
        ("rules", "from services.tracker.rules import machine"),
        ("routes", "from services.tracker import schemas, usecases"),
        ("usecases", "from services.tracker.models import Clock"),
    ],
)
def test_the_fence_lets_neighbours_in(kind: str, source: str) -> None:
    assert not list(trespasses(ast.parse(source), "tracker", MAY[kind]))
