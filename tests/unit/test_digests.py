"""Digests are keyed: equal things are found, different things and uses are told apart."""

from __future__ import annotations

import pytest

from shared.errors import ConfigError
from shared.security.digests import Digester

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_a_fingerprint_tells_requests_apart() -> None:
    digester = Digester(OLD)
    assert digester.fingerprint(b"{}") == digester.fingerprint(b"{}")
    assert digester.fingerprint(b"{}") != digester.fingerprint(b"{ }")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError):
        Digester(b"short")


def test_a_digest_depends_on_content_use_and_secret() -> None:
    digests = {
        Digester(OLD).digest("code", b"1"),
        Digester(OLD).digest("code", b"2"),
        Digester(OLD).digest("index", b"1"),
        Digester(NEW).digest("code", b"1"),
    }
    assert len(digests) == 4
    assert Digester(OLD).digest("code", b"1") in digests
