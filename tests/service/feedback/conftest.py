"""Feedback with a phone system, for the tests beside this file."""

from __future__ import annotations

from tests.fixtures.scenes.feedback import calling, outside, url

__all__ = ["calling", "outside", "url"]  # fixtures
