"""起草与发布: which version decides, and who may do what to a draft and to a version (GB66-5). Two matters
go by these rules: the dispatch catalogue, and the policy.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from shared import editions
from shared.editions import DOOR, FILE, EffectiveTooEarly, Ledger, OutdatedDraft, OwnDraft
from shared.errors import MoveRefused, NotFound

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def row(version: int | None, **what: Any) -> Any:
    """An edition; of version 1 the moment from which it decides says nothing."""
    given = {
        "id": UUID(int=version or 99),
        "version": version,
        "source": FILE,
        "digest": f"v{version}",
    }
    fresh = dict.fromkeys(("effective_at", "withdrawn_at", "discarded_at"))
    return SimpleNamespace(**{**given, **fresh, **what})


def ledger(*rows: Any) -> Ledger[Any]:
    return Ledger(list(rows))


KEPT = [
    row(2, effective_at=NOON),
    row(1, effective_at=NOON + 9 * SECOND),
    row(3, effective_at=NOON - SECOND, withdrawn_at=NOON),
    row(4, effective_at=NOON + SECOND, source=DOOR),
    row(None),
]


@pytest.mark.parametrize(
    ("moment", "version"),
    [(NOON - SECOND, 1), (NOON, 2), (NOON + SECOND, 4), (NOON + 2 * SECOND, 4)],
)
def test_the_last_that_takes_effect_by_a_moment_decides(moment: datetime, version: int) -> None:
    found = ledger(*KEPT).in_force(moment)
    assert found is not None
    assert found.version == version


def test_a_number_is_given_once_also_where_it_was_withdrawn() -> None:
    kept = ledger(*KEPT)
    assert [each.version for each in kept.standing] == [1, 2, 4]
    assert kept.latest is kept.standing[-1]
    assert kept.next_version == 5
    assert ledger(row(1), row(2, withdrawn_at=NOON)).next_version == 3
    none = ledger(row(None))
    assert (none.latest, none.in_force(NOON), none.next_version) == (None, None, 1)


def test_one_is_found_by_its_id_or_number() -> None:
    kept = ledger(*KEPT)
    assert kept.find(UUID(int=3)).version == kept.version(3).version == 3
    with pytest.raises(NotFound):
        kept.find(UUID(int=7))
    with pytest.raises(NotFound):
        kept.version(7)


def test_people_lead_it_once_a_version_of_theirs_stands() -> None:
    assert ledger(*KEPT).led_by_people
    assert not ledger(row(1), row(2, source=DOOR, withdrawn_at=NOON)).led_by_people
    assert ledger(row(1), row(2, digest="new"), row(3, source=DOOR)).last_file == "new"
    assert ledger(row(3, source=DOOR)).last_file is None


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ({"version": 2, "discarded": False}, "published"),
        ({"version": None, "discarded": True}, "discarded"),
    ],
)
def test_only_an_open_draft_is_written_in(what: dict[str, Any], state: str) -> None:
    editions.check_open(version=None, discarded=False)
    with pytest.raises(MoveRefused) as refused:
        editions.check_open(**what)
    assert refused.value.extra["current_status"] == state


def test_who_wrote_in_it_under_any_role_publishes_nothing() -> None:
    editions.check_second_person("wang", ["desk:li"])
    with pytest.raises(OwnDraft):
        editions.check_second_person("li", ["desk:zhao", "supervisor:li"])


def test_it_is_written_on_top_of_the_last_version_as_that_is() -> None:
    editions.check_current(2, 2)
    for based_on, latest, same in ((1, 2, True), (2, 2, False), (1, 2, False), (None, 1, True)):
        with pytest.raises(OutdatedDraft) as refused:
            editions.check_current(based_on, latest, same=same)
        assert ("folder" in refused.value.detail) == (based_on == latest)


@pytest.mark.parametrize(
    ("before", "earliest"),
    [(None, 60), (NOON + 59 * SECOND, 60), (NOON + 61 * SECOND, 61), (NOON - SECOND, 60)],
)
def test_it_takes_effect_after_the_one_before_and_when_all_have_heard(
    before: datetime | None, earliest: int
) -> None:
    moment, notice = NOON + earliest * SECOND, 60 * SECOND
    for asked, found in ((None, moment), (moment, moment), (moment + SECOND, moment + SECOND)):
        assert editions.takes_effect(asked, NOON, before, notice) == found
    with pytest.raises(EffectiveTooEarly) as refused:
        editions.takes_effect(moment - SECOND, NOON, before, notice)
    assert refused.value.extra["earliest"] == moment.isoformat()


@pytest.mark.parametrize(
    ("effective_at", "withdrawn", "last", "state"),
    [
        (NOON + SECOND, True, True, "withdrawn"),
        (NOON, False, True, "in_force"),
        (None, False, True, "in_force"),
        (NOON + SECOND, False, False, "superseded"),
    ],
)
def test_what_decides_or_has_a_later_one_is_not_taken_back(
    effective_at: datetime | None, withdrawn: bool, last: bool, state: str
) -> None:
    editions.check_withdrawable(NOON + SECOND, NOON, withdrawn=False, last=True)
    with pytest.raises(MoveRefused) as refused:
        editions.check_withdrawable(effective_at, NOON, withdrawn=withdrawn, last=last)
    assert refused.value.extra["current_status"] == state


@pytest.mark.parametrize(
    ("edition", "in_force", "status"),
    [
        (row(None), 2, "draft"),
        (row(None, discarded_at=NOON), 2, "discarded"),
        (row(2, withdrawn_at=NOON), 2, "withdrawn"),
        (row(2), 2, "in_force"),
        (row(1), 2, "superseded"),
        (row(3), 2, "scheduled"),
        (row(1), None, "scheduled"),
    ],
)
def test_where_an_edition_stands(edition: Any, in_force: int | None, status: str) -> None:
    assert editions.status(edition, NOON, in_force) == status
    assert status in editions.SENTENCES
