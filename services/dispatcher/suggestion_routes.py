"""派单建议 What the desk is told of the units a ticket's text speaks for."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel

from services.dispatcher import suggestions
from services.dispatcher.records import ServiceAct
from shared.http.auth import acting
from shared.http.fields import Number, Sentence
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
DeskReads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]
NO_MODEL = Sentence(
    zh="未配置建议模型，不作建议", en="No model of suggestions is configured; nothing is suggested"
)
LEARNED = Sentence(zh="仅供参考，由派单员决定", en="For guidance: the desk decides")


class SuggestionOut(BaseModel):
    """One unit. ``confidence``: the chance, 0 to 1, that it is the right one. ``words``: those of the
    text that speak most for it.
    """

    unit: str
    name: str
    confidence: float
    words: list[str]


class SuggestionsOut(BaseModel):
    """派单建议: at most three, the surest first. ``made_at``: when the model was learned, from how many
    ``orders``; null and no items where none is configured.
    """

    number: str
    sentence: Sentence
    made_at: str | None
    orders: int | None
    items: list[SuggestionOut]


@router.get("/tickets/{number}/suggestions", responses=problems(404))
async def list_suggestions(number: Number, act: DeskReads) -> SuggestionsOut:
    """派单建议 The units a ticket's text speaks for, with the words that do; none that must stand back."""
    found = await suggestions.for_desk(act, number)
    model, names = act.config.model, act.config.dispatching.names
    return SuggestionsOut(
        number=number,
        sentence=LEARNED if model else NO_MODEL,
        made_at=model.file.made_at if model else None,
        orders=model.file.orders if model else None,
        items=[
            SuggestionOut(
                unit=each.unit,
                name=names.unit(each.unit),
                confidence=round(each.confidence, 3),
                words=list(each.words),
            )
            for each in found
        ],
    )
