"""The doors of acts on orders, by whose acts they are: the table of acts (rules/acts.py) says the same."""

from typing import Annotated

from fastapi import Depends

from services.dispatcher.rules.assignment import BY_DESK, BY_UNIT
from shared.http.acts import Door, entering

UnitDoor = Annotated[Door, Depends(entering(*BY_UNIT))]
DeskDoor = Annotated[Door, Depends(entering(*BY_DESK))]
