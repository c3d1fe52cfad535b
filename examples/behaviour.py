"""行为 How units, supervisors and citizens behave in the month: mostly well, sometimes not.

Where a limit counts working time, times are counted in hours of duty (month.HOURS); where it counts
natural time (water, power, gas, tourists) units act round the clock. Each choice has its own dice,
so nobody's choice depends on who happened to be asked first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import ceil
from random import Random

from examples.connection import Json
from examples.department_system import Order, Step
from examples.matters import AREAS
from examples.month import PER_DAY, Duty, dice
from examples.phone_system import Call
from examples.scene import CHINA

SIGNED_LATE, DONE_LATE, HELPED_LATE = 0.02, 0.015, 0.01
RETURNED, RETURN_GRANTED = 0.035, 0.7
EXTENDED, EXTENSION_GRANTED = 0.04, 0.85
NOT_REACHED_AT_FIRST = 0.07
EXTENSION_DAYS = 5
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)

# What a citizen says on the telephone, with the weight of each; the second row is of redone work.
SAYS = (
    (("answered", 83), ("no_answer", 12), ("number_off", 2), ("refused", 3)),
    (("answered", 90), ("no_answer", 10)),
)
RATES = (
    (("satisfied", 58), ("basically_satisfied", 29), ("unrated", 6), ("unsatisfied", 7)),
    (("satisfied", 60), ("basically_satisfied", 28), ("unsatisfied", 12)),
    (("satisfied", 50), ("basically_satisfied", 50)),  # from the third round on
)


class Behaviour:
    """Everybody's behaviour; ``known`` is the index of a ticket by its number, as calls come in."""

    def __init__(self, duty: Duty, known: Mapping[str, int]) -> None:
        self._duty = duty
        self._known = known

    def _dice(self, what: str, ticket: str, *more: object) -> Random:
        return dice(what, self._known[ticket], *more)

    # --- units ---------------------------------------------------------------------------------

    def plan(self, order: Order) -> Iterator[Step]:
        """How a unit means to handle an order."""
        start = order.dispatched.astimezone(CHINA)
        if _is_natural(order):
            yield from self._at_once(order, start)
        elif self._is_returned(order):
            yield Step(self._duty.after(start, 1), "ask_return", _return_form(order))
            yield from self._in_days(order, self._duty.after(start, 2))
        else:
            yield from self._in_days(order, start)

    def _in_days(self, order: Order, start: datetime) -> Iterator[Step]:
        """Sign within hours, contact soon, complete within days, counted from ``start``."""
        throw = self._dice("in days", order.ticket, order.round, order.unit)
        signed = throw.randint(5, 7) if throw.random() < SIGNED_LATE else throw.choice((1, 1, 2, 3))
        yield Step(self._duty.after(start, signed), "sign", {"handler": "经办人"})
        called, again = self._duty.after(start, signed), self._duty.after(start, signed + 1)
        yield from _contact(order, throw, called, again)
        finished = self._finished(order, order.unit)
        if order.leads:
            helped = [self._finished(order, unit) for unit in order.data["co_handlers"]]
            finished = max([finished, *(one + 1 for one in helped)])
        if self._is_extended(order):
            form = {
                "reason": "需多部门现场勘查",
                "legal_basis": "延期办理规定",
                "days": EXTENSION_DAYS,
            }
            yield Step(self._duty.after(start, 2 * PER_DAY), "ask_extension", form)
            finished = throw.randint(5, 8) * PER_DAY if self.extends(order.ticket) else 4 * PER_DAY
        yield Step(
            self._duty.after(start, max(finished, signed + 2)), "complete", _form(throw, order)
        )

    def _finished(self, order: Order, unit: str) -> int:
        """When a unit of an order completes, in hours of duty: the lead knows its helpers."""
        throw = self._dice("finished", order.ticket, order.round, unit)
        allowed = float(order.data["limits"]["handle"].removesuffix("wd"))
        helps = order.leads and unit != order.unit
        hours = PER_DAY * ceil(allowed * 0.6 if helps else allowed)
        if throw.random() < (DONE_LATE if order.leads and not helps else HELPED_LATE):
            return hours + PER_DAY + throw.randint(1, PER_DAY)
        return ceil(hours * throw.uniform(0.1, 0.85))

    def _at_once(self, order: Order, start: datetime) -> Iterator[Step]:
        """Sign and contact at once, complete within hours."""
        throw = self._dice("at once", order.ticket, order.round, order.unit)
        signed = start + HOUR * (throw.random() < SIGNED_LATE)
        yield Step(signed, "sign", {"handler": "值班长"})
        yield from _contact(order, throw, signed, signed + HOUR)
        finished = self._over(order, order.unit, start)
        if order.leads:
            helped = [self._over(order, unit, start) for unit in order.data["co_handlers"]]
            finished = max([finished, *(one + HOUR for one in helped)])
        yield Step(max(finished, signed + HOUR), "complete", _form(throw, order))

    def _over(self, order: Order, unit: str, start: datetime) -> datetime:
        """When a unit of an order on natural time completes: in hours of duty if those are soon."""
        throw = self._dice("over", order.ticket, order.round, unit)
        if order.data["urgency"] == "critical":
            return start + HOUR
        if unit == order.data["lead"] and throw.random() < DONE_LATE:
            return start + DAY + HOUR * throw.randint(1, 3)
        moment = self._duty.after(start, throw.randint(2, 4))
        return moment if moment < start + 0.5 * DAY else start + 2 * HOUR

    def _is_returned(self, order: Order) -> bool:
        """A lead by rule thinks now and then that the matter is not its duty."""
        first = order.leads and order.round == 1 and order.data.get("rule") is not None
        return first and self._dice("returned", order.ticket).random() < RETURNED

    def _is_extended(self, order: Order) -> bool:
        first = order.leads and order.round == 1 and order.data["limits"]["handle"] == "5wd"
        return first and self._dice("extended", order.ticket).random() < EXTENDED

    # --- the hotline office --------------------------------------------------------------------

    def appointed(self, ticket: Json) -> str:
        """Whom the desk appoints where no rule does: the town for its people's conduct."""
        town = AREAS[ticket["area"]][0]
        return town if ticket["topic"].startswith("conduct.") else "RXB"

    def returns(self, ticket: str) -> bool:
        """Whether the desk grants a return."""
        return self._dice("return ruling", ticket).random() < RETURN_GRANTED

    def extends(self, ticket: str) -> bool:
        """Whether the supervisor grants an extension."""
        return self._dice("extension ruling", ticket).random() < EXTENSION_GRANTED

    # --- citizens ------------------------------------------------------------------------------

    def citizen(self, call: Call) -> Json:
        """How a citizen takes a call."""
        throw = self._dice("call", call.number, call.round, call.attempt)
        outcome = _throw(throw, SAYS[min(call.round, 2) - 1])
        if outcome != "answered":
            return {"outcome": outcome}
        rating = _throw(throw, RATES[min(call.round, 3) - 1])
        solved = "no" if rating == "unsatisfied" else "partly" if throw.random() < 0.08 else "yes"
        return {"outcome": outcome, "contacted": "yes", "solved": solved, "satisfied": rating}


def _throw(throw: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return throw.choices([word for word, _ in weighted], [weight for _, weight in weighted])[0]


def _is_natural(order: Order) -> bool:
    """Whether the order is to be done in natural hours: ``24h``, not ``5wd``."""
    limit = str(order.data["limits"]["handle"])
    return not limit.endswith(("wd", "wh"))


def _contact(order: Order, throw: Random, first: datetime, second: datetime) -> Iterator[Step]:
    """Call the citizen, and once more if nobody answers; not who cannot or will not be called."""
    data = order.data
    if not data["limits"].get("first_contact") or not data["has_contact"] or data["reply_declined"]:
        return
    if throw.random() < NOT_REACHED_AT_FIRST:
        yield Step(first, "contact", {"attempt": 1, "outcome": "no_answer"})
        yield Step(second, "contact", {"attempt": 2})
    else:
        yield Step(first, "contact", {"attempt": 1})


def _return_form(order: Order) -> Json:
    town = AREAS[order.data["area"]][0]
    return {
        "reason_code": "not_our_duty",
        "legal_basis": "部门权责清单未列该事项",
        "suggested_unit": "ZFB" if order.unit == town else town,
        "approver": "单位主要负责人",
    }


def _form(throw: Random, order: Order) -> Json:
    """A completion: solved, or explained with what stands in the way; its answer says what it answers."""
    solved, matter = throw.random() < 0.9, order.data["title"] + order.data["content"][:20]
    form: Json = {
        "kind": "solved" if solved else "explained",
        "solved": solved,
        "result": "已现场核实处理。" if solved else "已当面说明政策。",
        "public_answer": f"您反映的“{matter}”"
        + ("已处理完毕。" if solved else "，现行政策暂不支持，已向您说明。"),
        "signed_off_by": "单位主要负责人",
    }
    return form if solved else form | {"unsolved_reason": "现行政策不支持"}
