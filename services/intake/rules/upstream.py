"""上级平台时限: when the platform that passed a demand on wants the answer (WF-20, BJ-13). Pure."""

from __future__ import annotations

from datetime import datetime

from shared.errors import Malformed
from shared.jurisdiction.limits import UpstreamRules


class UpstreamDueWrong(Malformed):
    """Only what an upstream platform passed on under its own number has its limit, which lies ahead and
    within the horizon of the policy; ``latest`` and ``channels`` say what may be.
    """

    slug = "upstream-due-wrong"
    title = "上级平台时限有误 An upstream limit that cannot be"


def check(due: datetime, channel: str | None, rules: UpstreamRules | None, now: datetime) -> None:
    """Refuse a moment that cannot be one. ``channel``: by which it came, None without a number of its
    source. Raises UpstreamDueWrong.
    """
    channels = sorted(rules.channels) if rules else []
    if rules is None or channel not in channels:
        raise UpstreamDueWrong(
            f"上级平台时限须随来源编号及来源渠道（{'、'.join(channels)}）登记 "
            "it goes with a source number and a channel of a platform above",
            field="upstream_due",
            channels=channels,
        )
    latest = rules.latest(now)
    if not now < due <= latest:
        raise UpstreamDueWrong(
            f"须晚于现在，且不晚于{latest.isoformat()} it lies ahead, and not beyond {latest.isoformat()}",
            field="upstream_due",
            latest=latest.isoformat(),
        )
