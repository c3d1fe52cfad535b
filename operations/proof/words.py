"""What facts, fields and values are called in a printed pack (words.yaml), beside their English codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from operations.proof.pack import Kind

_READ: Mapping[str, Mapping[str, str]] = yaml.safe_load(
    Path(__file__).with_name("words.yaml").read_text("utf-8")
)
FACTS, OTHERS, CLOCKS = _READ["facts"], _READ["others"], _READ["clocks"]
FIELDS, VALUES = _READ["fields"], _READ["values"]
ROLES, SERVICES = _READ["roles"], _READ["services"]


def name_of(kind: Kind, name: str) -> str:
    """What an entry is called in Chinese; its code where it is of a newer release."""
    match kind:
        case Kind.CLOCK:
            return CLOCKS.get(name, name)
        case Kind.CALL | Kind.READING:
            return OTHERS.get(name, name)
    return FACTS.get(name, name)
