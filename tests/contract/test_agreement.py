"""What we say, others take: a fact that contradicts itself is laid aside as dead by all who hear it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.events import Fact
from shared.events.agreement import check_agreement, may_address

LATEST = datetime(2100, 1, 1, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_taken_by_who_hears_it(path: Path) -> None:
    fact = Fact.decode(path.read_bytes())
    check_agreement(fact, fact.key, LATEST)


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        ("unit:CGZF:张三", True),
        ("unit:CGZF", True),
        ("unit:CG:张三", False),
        ("unit:CGZ", False),
        ("desk:李四", True),
        ("service:dispatcher", True),
    ],
)
def test_no_unit_speaks_to_another(actor: str, *, may: bool) -> None:
    assert may_address(actor, "CGZF") is may
