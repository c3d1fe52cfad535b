"""The grounds of a return: codes.yaml says which there are, and what they are called."""

from __future__ import annotations

from services.dispatcher.settings import Config, Settings
from shared.jurisdiction.codes import Codes
from shared.jurisdiction.reader import read
from tests.fixtures.source import PROJECT

ZIYANG = PROJECT / "config" / "ziyang"


def test_every_ground_has_its_names() -> None:
    config: Config = Settings(embedded=True, config_dir=ZIYANG).load()
    named = [reason.code for reason in read(ZIYANG / "codes.yaml", Codes).reasons]
    assert named == list(config.grounds)
