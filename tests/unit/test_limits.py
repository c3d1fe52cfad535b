"""limits.yaml as a table of limits: what a dispatch carries, and what a broken file is told."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from shared.events import Limits, Role, TicketType, Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.limits import LimitTable
from tests.fixtures.policy import LIMITS, changed

TABLE = LimitTable.model_validate(LIMITS)
T, U = TicketType, Urgency

NORMAL = ("4wh", "1wd", "5wd")
COMPLEX = ("4wh", "1wd", "15wd")
URGENT = ("30min", "2h", "24h")
CRITICAL = ("15min", "30min", "2h")
PASSED_ON = ("1wd", None, None)
HANDLED = [kind for kind in TicketType if kind != T.COMMENDATION]


def limits(sign: str | None, first_contact: str | None, handle: str | None) -> Limits:
    return Limits(sign=sign, first_contact=first_contact, handle=handle)


# --- stages ------------------------------------------------------------------------------------

EXPECTED: dict[tuple[TicketType, Urgency], tuple[str | None, str | None, str | None]] = {
    **{(kind, U.NORMAL): NORMAL for kind in HANDLED},
    (T.CONSULTATION, U.NORMAL): ("4wh", "1wd", "2wd"),
    (T.SUGGESTION, U.NORMAL): ("1wd", "1wd", "5wd"),
    **{(kind, U.COMPLEX): COMPLEX for kind in HANDLED},
    **{(kind, U.URGENT): URGENT for kind in HANDLED},
    **{(kind, U.CRITICAL): CRITICAL for kind in HANDLED},
    **{(T.COMMENDATION, urgency): PASSED_ON for urgency in Urgency},
}


@pytest.mark.parametrize(("kind", "urgency"), list(product(TicketType, Urgency)))
def test_stages_by_type_and_urgency(kind: TicketType, urgency: Urgency) -> None:
    assert TABLE.stages(TABLE.kind(kind, urgency)) == limits(*EXPECTED[kind, urgency])


@pytest.mark.parametrize(
    ("kind", "urgency", "limit"),
    [
        (T.HELP, U.NORMAL, "30min"),
        (T.HELP, U.COMPLEX, "1wd"),
        (T.HELP, U.URGENT, "10min"),
        (T.HELP, U.CRITICAL, "5min"),
        (T.COMMENDATION, U.NORMAL, "1wd"),
        (T.COMMENDATION, U.CRITICAL, "1wd"),
    ],
)
def test_dispatch(kind: TicketType, urgency: Urgency, limit: str) -> None:
    assert TABLE.dispatch(TABLE.kind(kind, urgency)) == limit


@pytest.mark.parametrize(
    ("kind", "urgency", "expected"),
    [
        (T.HELP, U.NORMAL, ("4wh", "1wd", "3wd")),
        (T.SUGGESTION, U.NORMAL, ("4wh", "1wd", "3wd")),
        (T.HELP, U.COMPLEX, ("4wh", "1wd", "3wd")),
        (T.HELP, U.URGENT, URGENT),
        (T.HELP, U.CRITICAL, CRITICAL),
        (T.COMMENDATION, U.NORMAL, ("4wh", None, None)),
    ],
)
def test_redoing_has_its_own_limits_but_is_never_slower_than_natural_time(
    kind: TicketType, urgency: Urgency, expected: tuple[str | None, ...]
) -> None:
    """R-27 重办."""
    assert TABLE.stages(TABLE.kind(kind, urgency), redo=True) == limits(*expected)


@pytest.mark.parametrize(
    ("urgency", "redo", "handle"),
    [
        (U.NORMAL, False, "24h"),
        (U.COMPLEX, False, "24h"),
        (U.URGENT, False, "24h"),
        (U.CRITICAL, False, "2h"),
        (U.NORMAL, True, "24h"),
        (U.CRITICAL, True, "2h"),
    ],
)
@pytest.mark.parametrize(
    ("topic", "flags"), [("tourism.ticket", ()), ("market.price", ("water", "tourism"))]
)
def test_tourism_by_flag_or_topic(
    topic: str, flags: tuple[str, ...], urgency: Urgency, redo: bool, handle: str
) -> None:
    assert TABLE.stages(TABLE.kind(T.COMPLAINT, urgency, topic, flags), redo=redo).handle == handle


@pytest.mark.parametrize(
    ("topic", "flags"),
    [("tourismus.ticket", ()), ("market.tourism", ()), ("market.price", ("water",))],
)
def test_other_words_are_not_tourism(topic: str, flags: tuple[str, ...]) -> None:
    assert TABLE.stages(TABLE.kind(T.COMPLAINT, U.NORMAL, topic, flags)).handle == "5wd"


def test_a_stream_may_be_added() -> None:
    streams = [*LIMITS["streams"], {"matter": "epidemic", "handle": "4h"}]
    on = LimitTable.model_validate(changed(LIMITS, "streams", to=streams))
    assert TABLE.stages(TABLE.kind(T.HELP, U.NORMAL, flags=["epidemic"])).handle == "5wd"
    assert on.stages(on.kind(T.HELP, U.NORMAL, flags=["epidemic"])).handle == "4h"
    assert on.stages(on.kind(T.HELP, U.CRITICAL, flags=["epidemic"])).handle == "2h"


@pytest.mark.parametrize(
    ("kind", "flags", "urgency", "redo", "handle", "extension"),
    [
        (T.COMPLAINT, ["enterprise"], U.NORMAL, False, "5wd", "10wd"),
        (T.COMPLAINT, ["enterprise"], U.COMPLEX, False, "5wd", "10wd"),
        (T.COMPLAINT, ["enterprise"], U.NORMAL, True, "3wd", "10wd"),
        (T.COMPLAINT, ["enterprise"], U.URGENT, False, "24h", "10wd"),
        (T.CONSULTATION, ["enterprise"], U.NORMAL, False, "2wd", None),
        (T.COMPLAINT, ["heating"], U.COMPLEX, False, "15wd", None),
    ],
)
def test_an_enterprise_complaint_has_a_limit_and_an_extension_of_its_own(
    kind: TicketType,
    flags: list[str],
    urgency: Urgency,
    redo: bool,
    handle: str,
    extension: str | None,
) -> None:
    of = TABLE.kind(kind, urgency, "market.permit", flags)
    assert TABLE.stages(of, redo=redo).handle == handle
    stream = TABLE.stream(of)
    assert (stream and stream.extension) == (Limit.parse(extension) if extension else None)


@pytest.mark.parametrize(
    ("kind", "urgency", "flags", "redo", "sign", "handle"),
    [
        (T.HELP, U.NORMAL, [], False, "4wh", "3wd"),
        (T.CONSULTATION, U.NORMAL, [], False, "4wh", "2wd"),  # 1.2, rounded up
        (T.HELP, U.COMPLEX, [], False, "4wh", "9wd"),
        (T.HELP, U.NORMAL, [], True, "4wh", "2wd"),  # 1.8, rounded up
        (T.HELP, U.URGENT, [], False, "30min", "14.4h"),
        (T.HELP, U.CRITICAL, [], False, "15min", "1.2h"),
        (T.COMPLAINT, U.NORMAL, ["tourism"], False, "4wh", "14.4h"),
        (T.COMMENDATION, U.NORMAL, [], False, "1wd", None),
    ],
)
def test_a_co_handler_has_a_share_of_the_leads_time_and_does_not_contact(
    kind: TicketType, urgency: Urgency, flags: list[str], redo: bool, sign: str, handle: str | None
) -> None:
    """R-13 首接负责."""
    found = TABLE.stages(TABLE.kind(kind, urgency, "", flags), redo=redo, role=Role.CO)
    assert found.model_copy(update={"rule": None}) == limits(sign, None, handle)


@pytest.mark.parametrize("lead", ["1min", "0.017h", "0.02h", "87840h", "1wd", "0.1234567wh"])
@pytest.mark.parametrize("share", ["1%", "60%", "99%"])
def test_whatever_limit_may_be_written_is_printed_as_one(lead: str, share: str) -> None:
    """On an order, which the tracker reads: a limit it could not read would start no clock."""
    row = {"dispatch": "1h", "handle": lead}
    policy = changed(LIMITS, "limits", "urgent", "default", to=row)
    table = LimitTable.model_validate(policy | {"co_handler_share": share})
    for role in Role:
        printed = table.stages(table.kind(T.HELP, U.URGENT, "", []), role=role).handle
        assert Limit.parse(printed or "").amount > 0


@pytest.mark.parametrize("redo", [False, True])
@pytest.mark.parametrize(("kind", "urgency"), list(product(TicketType, [U.URGENT, U.CRITICAL])))
def test_nothing_lengthens_what_runs_on_natural_time(
    kind: TicketType, urgency: Urgency, redo: bool
) -> None:
    plain = TABLE.stages(TABLE.kind(kind, urgency))
    for flags in (["tourism"], ["enterprise"], ["epidemic"], ["enterprise", "tourism"]):
        of = TABLE.kind(kind, urgency, "", flags)
        assert TABLE.stages(of, redo=redo).handle == plain.handle


# --- a broken file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (
            changed(LIMITS, "limits", "normal", "default", "handle", to="5 days"),
            "limits.normal.default.handle",
        ),
        (
            changed(LIMITS, "limits", "normal", "default", "hanlde", to="5wd"),
            "limits.normal.default.hanlde",
        ),
        (
            changed(LIMITS, "limits", "normal", "helpp", to={"dispatch": "1h"}),
            "limits.normal.helpp",
        ),
        (changed(LIMITS, "limits", "normal", "default", to=None), "limits.normal"),
        (changed(LIMITS, "limits", "urgent", "default", "dispatch", to=None), "limits.urgent"),
        (changed(LIMITS, "limits", "critical", to=None), "limits.critical"),
        (changed(LIMITS, "co_handler_share", to="60"), "co_handler_share"),
        (changed(LIMITS, "streams", 0, "handle", to="1d"), "streams.0.handle"),
        (changed(LIMITS, "streams", 1, "types", to=["x"]), "streams.1.types"),
        (changed(LIMITS, "streams", 1, "extension", to="10h"), "streams.1.extension"),
        (changed(LIMITS, "streams", 0, "hours", to=24), "streams.0.hours"),
        (changed(LIMITS, "clocks", "urgent", to=None), "clocks"),
        (changed(LIMITS, "clocks", "urgent", to="fast"), "clocks.urgent"),
        (changed(LIMITS, "redo", "dispatch", to="1h"), "redo.dispatch"),
        (changed(LIMITS, "limits", "urgent", "default", "handle", to="0.00001h"), "handle"),
        (changed(LIMITS, "limits", "urgent", "default", "handle", to="87841h"), "handle"),
        (
            changed(LIMITS, "limits", "urgent", "commendation", to={"dispatch": "1h"}),
            "urgent.commendation",
        ),
    ],
)
def test_a_broken_policy_is_refused_at_its_field(policy: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        LimitTable.model_validate(policy)
    places = [".".join(map(str, row["loc"])) for row in refused.value.errors()]
    assert all(field in place for place in places), places
