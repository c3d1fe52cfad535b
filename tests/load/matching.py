"""How long it takes to find a ticket's rule: ``rule_us_200``, ``rule_us_2000``; and to read whether its
text reports a danger: ``danger_us``.

``python -m tests.load.matching`` prints the figures as JSON. The catalogues are made at random of the
county's topics and areas, and of words cut from the texts of tests/data/messages.json, so that keywords are
found as often as they are; a third of the rules ask for keywords, some of these in finer ways. A ticket
takes its text from there, too.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.matching import Matcher
from services.dispatcher.settings import Settings
from shared import clock
from shared.events import TicketRegistered, TicketType
from shared.jurisdiction.codes import Codes
from shared.jurisdiction.folder import Folder
from shared.jurisdiction.wording import text_of
from tests.load.plan import Figures, Plan
from tests.load.plant import Plant
from tests.load.processes import DidNotStart

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "tests" / "data" / "messages.json"
SIZES = (200, 2_000)
TICKETS = 1_000
PASSES = 5


async def matching(plant: Plant, _: Plan) -> Figures:
    """Microseconds a ticket, of the best pass."""
    try:
        said = await plant.side.run("-m", "tests.load.matching", database_url=plant.url("intake"))
    except DidNotStart:  # a tree that has no such measure
        return {"rule_us_200": None, "rule_us_2000": None, "danger_us": None}
    found: Figures = json.loads(said)
    return found


def figures() -> Figures:
    """Measured here and now."""
    dice = random.Random(20261127)
    config = Settings(embedded=True, config_dir=ROOT / "config" / "ziyang").load()
    codes = Folder.take(ROOT / "config" / "ziyang").read(Settings.files).codes
    texts = json.loads(TEXTS.read_text("utf-8"))
    tickets = [ticket(dice, codes, dice.choice(texts)) for _ in range(TICKETS)]
    asked = [(each, text_of(each.title, each.content)) for each in tickets]
    found: Figures = {}
    denied, now = config.dispatching.urgency.denied, clock.real()
    for size in SIZES:
        rules = [rule(dice, codes, texts, number) for number in range(size)]
        matcher = Matcher(rules, codes.lineage, denied, config.calendar)
        first = partial(matcher.first, dangers=(), now=now)
        found[f"rule_us_{size}"] = microseconds(first, asked)
    alarms = config.dispatching.urgency.alarms
    found["danger_us"] = microseconds(alarms, [(each.type, text) for each, text in asked])
    return found


def ticket(dice: random.Random, codes: Codes, text: str) -> TicketRegistered:
    """A ticket of the county with a text."""
    return TicketRegistered.model_validate(
        {
            "type": dice.choice(["complaint", "help", "consultation", "suggestion"]),
            "urgency": "normal",
            "topic": dice.choice(codes.topics).code,
            "title": text[:20],
            "content": text,
            "area": dice.choice(codes.areas).code,
            "channel": "phone",
            "flags": dice.sample(codes.flags, dice.choice([0, 0, 0, 1])),
        }
    )


def rule(dice: random.Random, codes: Codes, texts: Sequence[str], number: int) -> Rule:
    """A rule such as catalogues have: mostly a topic, often an area, sometimes words."""
    asked: dict[str, Any] = {"topic": dice.choice([*codes.topics, *codes.fields]).code}
    if dice.random() < 0.5:
        asked["areas"] = [area.code for area in dice.sample(codes.areas, 2)]
    if dice.random() < 0.2:
        asked["types"] = [dice.choice([TicketType.COMPLAINT, TicketType.HELP])]
    if dice.random() < 0.1:
        asked["flags"] = [dice.choice(codes.flags)]
    if dice.random() < 0.3:
        asked["keywords"] = [word(dice, texts) for _ in range(3)]
        asked["no_keywords"] = [word(dice, texts)] if dice.random() < 0.2 else []
        asked["unless_denied"] = dice.random() < 0.2
    elif dice.random() < 0.05:
        asked["all_keywords"] = [word(dice, texts) for _ in range(2)]
    if dice.random() < 0.03:
        asked |= {"on_duty": dice.random() < 0.5, "longer_than": 20}
    return Rule(id=f"rule-{number}", lead="{town}", reason="因为", **asked)


def word(dice: random.Random, texts: Sequence[str]) -> str:
    """Two to four letters in a row of some text."""
    text = dice.choice(texts)
    while True:
        at = dice.randrange(len(text) - 4)
        if (cut := text[at : at + dice.randint(2, 4)]).isalnum():
            return cut


def microseconds(call: Callable[..., object], given: Sequence[tuple[Any, ...]]) -> float:
    """Of one call, the best of some passes; of this process alone, whatever else the machine does."""
    taken = []
    for _ in range(PASSES):
        began = spent()
        for each in given:
            call(*each)
        taken.append((spent() - began) / len(given) * 1e6)
    return min(taken)


def spent() -> float:
    """Seconds that the cores worked for this process."""
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.stdout.write(json.dumps(figures()))
