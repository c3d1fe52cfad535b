"""The published language: the envelope and one frozen class per fact. Pure.

A fact says what became true, in the past tense, once, by one speaker, and is never edited. On the
wire it is a CloudEvent in structured JSON. Other services and department systems program against
these files, so a fact type only ever gains optional fields; any other change is a new version
spoken beside the old one (docs/events.md is generated from here). One file
per speaker, with duties.py beside dispatcher.py and discrepancies.py beside tracker.py; a fact added there is
known here.
"""

from shared.events.envelope import *
from shared.events.words import *

from shared.events.intake import *  # isort: skip
from shared.events.dispatcher import *  # isort: skip
from shared.events.duties import *  # isort: skip
from shared.events.tracker import *  # isort: skip
from shared.events.discrepancies import *  # isort: skip
from shared.events.feedback import *  # isort: skip
