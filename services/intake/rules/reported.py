"""被反映对象: whom a demand is about, as it is stated at the front (R-35, JN-32). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.rules.identity import Person, mask_note
from shared.errors import Malformed, UnknownCode
from shared.events import Reported
from shared.jurisdiction.codes import Units


def check_reported(said: Reported, unit: str | None, units: Units) -> None:
    """``unit``: as requests of the release before name it, ``reported_unit``. Raises Malformed for what
    contradicts itself, UnknownCode with the nearest codes.
    """
    if said.nobody and (said.units or said.words or unit):
        raise Malformed(
            "注明不涉及行政机关（nobody），就不能再写被反映单位或人员 "
            "nobody is stated beside units or words: leave out one or the other",
            field="reported.nobody",
        )
    if unit and said.units and unit not in said.units:
        raise Malformed(
            f"reported_unit {unit} 不在 reported.units 之列，请只用 reported "
            f"reported_unit {unit} is none of reported.units: send reported alone",
            field="reported_unit",
        )
    _check_codes([unit] if unit else [], "reported_unit", units)
    _check_codes(said.units, "reported.units", units)


def _check_codes(codes: Sequence[str], field: str, units: Units) -> None:
    for code in codes:
        if units.unit(code) is None:
            nearest = units.nearest_units(code)
            raise UnknownCode(code, field=field, nearest=nearest)


def working_reported(said: Reported, unit: str | None, person: Person) -> Reported:
    """What of it may travel: each unit and each words once, without the caller's own identity."""
    whole = Reported.on_record(said, unit)
    if not whole.stated:
        return whole
    words = (mask_note(word, person) for word in whole.words)
    return Reported(
        units=tuple(dict.fromkeys(whole.units)),
        words=tuple(dict.fromkeys(words)),
        nobody=whole.nobody,
    )
