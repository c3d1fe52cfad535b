"""The doors of acts on tickets, by whose acts they are: the table of acts (rules/acts.py) says the same."""

from typing import Annotated

from fastapi import Depends

from services.intake.rules.acts import BY_AGENT, BY_DESK, BY_FRONT, BY_READER
from shared.http.acts import Door, entering

FrontDoor = Annotated[Door, Depends(entering(*BY_FRONT))]
AgentDoor = Annotated[Door, Depends(entering(*BY_AGENT))]
DeskDoor = Annotated[Door, Depends(entering(*BY_DESK))]
ReaderDoor = Annotated[Door, Depends(entering(*BY_READER))]
