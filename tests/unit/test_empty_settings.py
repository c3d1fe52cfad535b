"""An empty variable is one that is not set: files of settings list what is not used, too."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.feedback.settings import Settings


def test_an_empty_address_means_no_phone_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_PHONE_SYSTEM_URL", "")
    assert Settings(embedded=True).phone_system_url is None


def test_an_empty_secret_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_INDEX_KEY", "")
    with pytest.raises(ValidationError, match="JIESU_INDEX_KEY is the development key"):
        Settings(embedded=False)
