"""The locks name versions and hashes, and nothing of the machine they were made on."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.source import PROJECT

LOCKS = ("requirements.lock", "requirements-image.lock", "requirements-load.lock")
PINNED = re.compile(r"^([a-z0-9.-]+(?:\[[a-z,]+\])?)==(\S+)", re.MULTILINE)


def lock(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_folder(name: str) -> None:
    assert re.findall(r"://|--index|--find-links|(?:^|[\s=])/\w+", lock(name)) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_file_has_its_hash(name: str) -> None:
    entries = re.split(r"^(?=[a-z])", lock(name), flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_image_runs_on_what_was_tested() -> None:
    tested = set(PINNED.findall(lock("requirements.lock")))
    assert set(PINNED.findall(lock("requirements-image.lock"))) <= tested
