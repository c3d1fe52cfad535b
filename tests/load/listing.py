"""Figure of the lists of what is to be done next, at a dispatcher that has as many tickets as a county
gets in some years.
"""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from tests.load.finding import SHARE, timed
from tests.load.plan import Figures, Plan
from tests.load.plant import Plant
from tests.load.tally import quantile

UNIT = "HC"
MATTER = {
    "type": "complaint",
    "urgency": "normal",
    "topic": "water.supply",
    "title": "小区停水三天无人处理",
    "content": "小区自2月27日起停水，物业称是主管道破裂，三天无人维修，望尽快恢复供水。" * 4,
    "area": "610924100",
    "address": "紫府路18号",
    "channel": "phone",
    "flags": ["water"],
}
# Of 100 tickets five wait for the desk, one of those it has given to a unit is asked to be returned, twenty
# are in hand, a quarter of them at one unit; the others are done. Each has its clocks.
PLANT = (
    """
    INSERT INTO tickets (number, registered_at, matter, urgency, round, resolved, closed, ended,
        unassigned_at, unassigned_reason, nearest, urged, work_seq)
    SELECT format('20270101-%s', lpad(n::text, 6, '0')), now() - n * interval '1 minute',
        CAST($2 AS jsonb) || jsonb_build_object('content', format('第%s件 ', n) || ($2::jsonb->>'content')),
        CASE n % 50 WHEN 0 THEN 'critical' WHEN 1 THEN 'urgent' ELSE 'normal' END, 1,
        CASE WHEN n % 100 < 75 THEN 1 ELSE 0 END, CASE WHEN n % 100 < 75 THEN 1 ELSE 0 END, 0,
        CASE WHEN n % 100 >= 95 THEN now() - n * interval '1 minute' END, '没有规则 no rule', '[]', 0, 0
    FROM generate_series(1, $1::int) n""",
    """
    INSERT INTO assignments (id, ticket, round, unit, role, status, was, reason, urgency, limits,
        appointed, redo, dispatched_at, handler, attempts, reached)
    SELECT gen_random_uuid(), number, 1, CASE WHEN n % 4 = 0 THEN 'HC' ELSE 'ZJJ' END, 'lead',
        CASE WHEN n % 100 < 75 THEN 'completed' WHEN n % 100 = 75 THEN 'return_requested'
            WHEN n % 3 = 0 THEN 'dispatched' ELSE 'signed' END, 'dispatched',
        '目录规则', urgency, '{"sign": "4wh", "first_contact": "1wd", "handle": "5wd"}',
        false, false, registered_at, CASE WHEN n % 3 > 0 THEN format('经办人%s', n % 9) END, 0, n % 2 = 0
    FROM (SELECT *, right(number, 6)::int AS n FROM tickets) t WHERE unassigned_at IS NULL""",
    """
    INSERT INTO returns (id, ticket, assignment, unit, reason_code, legal_basis, approver, note,
        requested_at, review_due)
    SELECT gen_random_uuid(), ticket, id, unit, 'not_our_duty', '权责清单', '李局长', '', dispatched_at,
        dispatched_at + interval '4 hours'
    FROM assignments WHERE status = 'return_requested'""",
    """
    INSERT INTO clocks (ticket, assignment, kind, started_at, due, provisional, due_seq, pause_seq)
    SELECT ticket, id, kind, dispatched_at, dispatched_at + hours * interval '1 hour', false, 1, 0
    FROM assignments, (VALUES ('sign', 4), ('first_contact', 24), ('handle', 120)) k (kind, hours)
    ON CONFLICT DO NOTHING""",
    """
    INSERT INTO clocks (ticket, assignment, kind, started_at, due, provisional, due_seq, pause_seq)
    SELECT number, CAST('00000000-0000-0000-0000-000000000000' AS uuid), kind, registered_at,
        registered_at + hours * interval '1 hour', false, 1, 0
    FROM tickets, (VALUES ('dispatch', 1), ('citizen', 120)) k (kind, hours)
    ON CONFLICT DO NOTHING""",
    "VACUUM ANALYZE tickets",
    "VACUUM ANALYZE assignments",
    "VACUUM ANALYZE returns",
    "VACUUM ANALYZE clocks",
)
ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("worklist", {}),  # the desk's, and the unit's
    ("worklist", {}),
    ("unassigned", {}),
    ("unassigned", {"topic": "water", "urgency": "urgent"}),
    ("unassigned", {"text": "第99"}),
    ("returns", {}),
    ("returns", {"unit": UNIT, "area": "610924"}),
    (f"units/{UNIT}/orders", {}),
    (f"units/{UNIT}/orders", {"handler": "经办人1"}),
    (f"units/{UNIT}/orders", {"text": "主管道", "flags": "water"}),
)


async def listing(plant: Plant, plan: Plan) -> Figures:
    """How long a page of a list takes with its counts, one at a time, 95 of 100 at most."""
    await plant.run("dispatcher")
    async with plant.connection("dispatcher") as connection:
        for statement in PLANT:
            given = (plan.kept, json.dumps(MATTER)) if "$1" in statement else ()
            await connection.execute(statement, *given, timeout=600)
    wire, desk, unit = plant.wire("dispatcher"), plant.token("desk"), plant.token("unit", UNIT)
    taken: dict[str, list[float]] = {}
    for at, (path, query) in zip(range(plan.looks), cycle(ASKED), strict=False):
        token = unit if path.startswith(("units/", "worklist")) and at % 2 else desk
        paged = query if path == "worklist" else query | {"limit": "50"}
        asked = f"/v1/{path}?{urlencode(paged)}"
        milliseconds, page = await timed(wire, "GET", asked, token)
        path = path if path != "worklist" else f"worklist {'unit' if token == unit else 'desk'}"
        taken.setdefault(path, []).append(milliseconds)
        if page.get("next"):
            further = await timed(wire, "GET", f"{asked}&after={page['next']}", token)
            taken[path].append(further[0])
    every = sorted(each for some in taken.values() for each in some)
    slowest = {path: quantile(sorted(some), SHARE) for path, some in taken.items()}
    details: dict[str, Any] = {"tickets": plan.kept, "pages": len(every), "p95_ms": slowest}
    return {"lists_p95_ms": quantile(every, SHARE), "details": details}
