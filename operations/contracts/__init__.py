"""Writes what others program against, from the code: ``make contracts`` writes docs/, and a test
compares docs/ with the code, so neither drifts from the other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from operations.contracts.bus import describe_bus
from operations.contracts.errors import page_of_errors
from operations.contracts.facts import Json, schema, schema_file
from operations.contracts.phone_page import page_for_phone_vendors
from operations.contracts.table import table_of_facts
from operations.proof.pack import Pack
from operations.runtime.registry import NAMES, part
from shared.events import FACTS

CONFIG = Path(__file__).parents[2] / "config" / "ziyang"


def write(docs: Path) -> list[Path]:
    """Write every contract below docs/, and drop those of facts and services that are no more.

    Answers the files that were changed by it.
    """
    texts = {docs / name: text.encode() for name, text in published().items()}
    for stale in {*docs.glob("openapi/*.json"), *docs.glob("schemas/*.json")} - texts.keys():
        stale.unlink()
    changed = [
        path for path, text in texts.items() if not path.exists() or path.read_bytes() != text
    ]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(texts[path])
    return changed


def published() -> dict[str, str]:
    """The text of every contract by its place below docs/."""
    return {
        "events.md": table_of_facts(),
        "errors.md": page_of_errors(),
        "connect-phone.md": page_for_phone_vendors(),
        "asyncapi.yaml": _yaml(describe_bus()),
        **{f"openapi/{name}.json": _json(openapi(name)) for name in NAMES},
        **{schema_file(kind): _json(schema(kind)) for kind in FACTS.values()},
        "schemas/proof-pack.v1.json": _json(Pack.model_json_schema()),
    }


def openapi(name: str) -> Json:
    """OpenAPI of a service. Building its app opens nothing: no database, no bus, no secret."""
    built = part(name)
    settings = built.settings(embedded=True, config_dir=CONFIG, bus_url="local://contracts")
    return built.app(settings).openapi()


def _json(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes out again what stands twice: not every reader follows anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(document: Json) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
