"""A catalogue as text: what is written is read again, and one rule more leaves the rest as it was."""

from __future__ import annotations

from hypothesis import given

from services.dispatcher.catalogue.drafts import plus
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.catalogue_text import lines_of, written
from services.dispatcher.settings import Settings, Written, read_catalogue
from tests.fixtures.catalogues import catalogues, rule

NIGHT = rule("night", topic="water", hours={"from": "22:00", "to": "06:00"}, on_duty=False)


@given(catalogues())
def test_what_is_written_is_read_again(rules: list[Rule]) -> None:
    found, faults = read_catalogue(written(rules))
    assert faults == []
    assert found
    assert found.rules == tuple(rules)


def test_one_rule_more_leaves_every_line_of_the_county_as_it_was() -> None:
    said = Settings(embedded=True).load().catalogue
    for before in (said.rules[0].id, said.rules[40].id, None):
        more = plus(said, NIGHT, before)
        at = len(said.rules) if before is None else [each.id for each in said.rules].index(before)
        assert more.rules[at] == NIGHT
        assert (*more.rules[:at], *more.rules[at + 1 :]) == said.rules
        lines = more.text.splitlines()
        for line in lines_of(NIGHT):
            lines.remove(line)
        assert lines == said.text.splitlines()


def test_a_catalogue_written_in_another_way_is_written_in_ours() -> None:
    text = '{"rules": [{"id": "one", "topic": "water", "lead": "SCJG", "reason": "因为"}]}'
    said, faults = read_catalogue(text)
    assert faults == []
    assert isinstance(said, Written)
    assert plus(said, NIGHT).text == written([*said.rules, NIGHT])
