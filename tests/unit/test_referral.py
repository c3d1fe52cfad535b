"""移送: by two people, and decided once (BJ-35, JN-40, ADR 0074)."""

from __future__ import annotations

import pytest

from services.tracker.rules import referral
from services.tracker.rules.referral import ReferralStatus
from shared.errors import MoveRefused, OwnApproval

BY = "supervisor:li"


def test_who_proposed_it_may_take_it_back_and_no_more() -> None:
    waiting = referral.status(None)
    assert waiting is ReferralStatus.WAITING
    referral.check_decision(waiting, BY, "supervisor:wang", granted=True)
    referral.check_decision(waiting, BY, BY, granted=False)
    with pytest.raises(OwnApproval):
        referral.check_decision(waiting, BY, BY, granted=True)


@pytest.mark.parametrize(("granted", "stands"), [(True, "granted"), (False, "refused")])
@pytest.mark.parametrize(("again", "move"), [(True, "grant"), (False, "refuse")])
def test_what_was_decided_is_not_decided_again(
    granted: bool, stands: str, again: bool, move: str
) -> None:
    with pytest.raises(MoveRefused) as refused:
        referral.check_decision(referral.status(granted), BY, "supervisor:wang", granted=again)
    assert refused.value.extra["current_status"] == stands
    assert f"{move} is not allowed" in refused.value.detail
