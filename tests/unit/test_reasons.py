"""The grounds of a return: the policy says which count, codes.yaml what they are called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from services.dispatcher.settings import Config, Settings
from shared.errors import ConfigError
from shared.jurisdiction.codes import Codes
from shared.jurisdiction.reader import read
from tests.fixtures.source import PROJECT

ZIYANG = PROJECT / "config" / "ziyang"


def test_every_ground_has_its_names_and_every_name_its_ground() -> None:
    config: Config = Settings(embedded=True, config_dir=ZIYANG).load()
    named = [reason.code for reason in read(ZIYANG / "codes.yaml", Codes).reasons]
    assert named == list(config.returns.reason_codes)


def test_a_ground_without_a_name_stops_the_start(tmp_path: Path) -> None:
    folder = shutil.copytree(ZIYANG, tmp_path / "county")
    policy = folder / "policy.yaml"
    policy.write_text(policy.read_text("utf-8").replace("[not_our_duty,", "[not_ours,"), "utf-8")
    with pytest.raises(ConfigError, match=r"return_ticket\.reason_codes\.0: not_ours"):
        Settings(embedded=True, config_dir=folder).load()
