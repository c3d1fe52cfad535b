"""The area of a complaint, found in its own words where its caller says none (ADR 0059)."""

from __future__ import annotations

from typing import NamedTuple

from services.intake.rules.identity import is_confidential
from services.intake.rules.places import Named
from services.intake.schemas import AreaFound, NewTicket, RegistrationWarning
from services.intake.settings import Config
from shared.errors import Malformed


class AreaMissing(Malformed):
    """A complaint that says no area, and names none, in a place whose places.yaml has no ``whole``."""

    slug = "area-missing"
    title = "未填区域，地址和内容中也没有可识别的地名 No area was said, and no word names one"


class Located(NamedTuple):
    """What was made of where a complaint is: the area found, and what its caller is told of it."""

    found: AreaFound | None = None
    warning: RegistrationWarning | None = None


SAID = Located()  # the area was said, and nothing speaks against it


def locate(body: NewTicket, config: Config) -> tuple[NewTicket, Located]:
    """A complaint with its area. Left out, or the whole place: the one its address names, or else its
    title and content. One that was said is kept, whatever the address says. Raises AreaMissing.

    Of a confidential complaint no more than the town is read out of its words: a village's few people
    know one another (R-36).
    """
    areas, given = config.areas, body.area
    by_address = areas.find(body.address) if body.address else None
    if given is not None and given != areas.whole:
        return body, _contradicted(given, by_address, config)
    named = by_address or areas.find("\n".join((body.title or "", body.content)))
    if named is None or named.area is None:
        if areas.whole is None:
            raise AreaMissing(field="area")
        return body.model_copy(update={"area": areas.whole}), _unfound(named)
    area = (
        areas.town_of(named.area) if is_confidential(body.type, body.confidential) else named.area
    )
    found = AreaFound(area=area, name=_name(area, config), words=named.words)
    detail = (
        f"区域未填到镇，按“{'、'.join(named.words)}”定为{found.name}，请核对"
        f" no town was said; these words make it {area}: check it"
    )
    return body.model_copy(update={"area": area}), Located(found, _warning("area-found", detail))


def _contradicted(given: str, named: Named | None, config: Config) -> Located:
    areas = config.areas
    if named is None or named.area is None or config.codes.area(given) is None:
        return SAID
    if areas.within(named.area, given) or areas.within(given, named.area):
        return SAID
    detail = (
        f"所填区域为{_name(given, config)}，地址中的“{'、'.join(named.words)}”在"
        f"{_name(named.area, config)}：已按所填登记，请核对"
        f" the address names {named.area}, not {given}, which was said and is kept: check it"
    )
    return Located(warning=_warning("area-contradicted", detail))


def _unfound(named: Named | None) -> Located:
    if named is None:
        detail = (
            "区域未填到镇，地址和内容中没有可识别的地名，已登记为整个辖区"
            " no town was said and no word names one: it is registered for the whole place"
        )
        return Located(warning=_warning("area-not-found", detail))
    detail = (
        f"区域未填到镇，“{'、'.join(named.words)}”分属不同的镇，不能确定，已登记为整个辖区"
        " no town was said and these words name several: it is registered for the whole place"
    )
    return Located(warning=_warning("area-uncertain", detail))


def _name(area: str, config: Config) -> str:
    known = config.codes.area(area)
    return known.name if known else area


def _warning(code: str, detail: str) -> RegistrationWarning:
    return RegistrationWarning(field="area", code=code, detail=detail)
