"""Seals open for whom they should, and for nobody else."""

from __future__ import annotations

import pytest

from services.intake.sealing import KeyMissing, SealBroken, Sealer
from shared.errors import ConfigError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLAIN = "王小明 13800138000".encode()
NUMBER = "20261123-000001"


@pytest.fixture(params=["aes-256-gcm", "sm4-gcm"])
def sealer(request: pytest.FixtureRequest) -> Sealer:
    return Sealer({"old": OLD, "new": NEW}, "new", request.param)


def test_a_seal_opens_and_shows_nothing(sealer: Sealer) -> None:
    """R-37 个人信息保护."""
    sealed = sealer.seal(PLAIN, NUMBER)
    assert PLAIN not in sealed
    assert sealer.unseal(sealed, NUMBER) == PLAIN


def test_the_same_words_are_never_sealed_alike(sealer: Sealer) -> None:
    assert sealer.seal(PLAIN, NUMBER) != sealer.seal(PLAIN, NUMBER)


def test_a_seal_belongs_to_its_ticket(sealer: Sealer) -> None:
    with pytest.raises(SealBroken):
        sealer.unseal(sealer.seal(PLAIN, NUMBER), "20261123-000002")


def test_every_byte_of_a_seal_counts(sealer: Sealer) -> None:
    sealed = sealer.seal(PLAIN, NUMBER)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            sealer.unseal(bytes(changed), NUMBER)


def test_every_cut_of_a_seal_is_noticed(sealer: Sealer) -> None:
    sealed = sealer.seal(PLAIN, NUMBER)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sealer.unseal(sealed[:length], NUMBER)


def test_rotation_keeps_old_seals_readable_until_their_key_goes() -> None:
    sealed = Sealer({"old": OLD}, "old").seal(PLAIN, NUMBER)
    assert Sealer({"old": OLD, "new": NEW}, "new").unseal(sealed, NUMBER) == PLAIN
    with pytest.raises(KeyMissing):
        Sealer({"new": NEW}, "new").unseal(sealed, NUMBER)


def test_new_seals_are_under_the_current_key() -> None:
    sealed = Sealer({"old": OLD, "new": NEW}, "new").seal(PLAIN, NUMBER)
    with pytest.raises(KeyMissing):
        Sealer({"old": OLD}, "old").unseal(sealed, NUMBER)


def test_another_secret_under_the_same_name_does_not_open() -> None:
    sealed = Sealer({"k": OLD}, "k").seal(PLAIN, NUMBER)
    with pytest.raises(SealBroken) as refused:
        Sealer({"k": NEW}, "k").unseal(sealed, NUMBER)
    assert not isinstance(refused.value, KeyMissing)


def test_the_suite_can_change_and_old_seals_still_open() -> None:
    sealed = Sealer({"k": OLD}, "k", "aes-256-gcm").seal(PLAIN, NUMBER)
    assert Sealer({"k": OLD}, "k", "sm4-gcm").unseal(sealed, NUMBER) == PLAIN


def test_a_broken_seal_tells_nothing() -> None:
    sealed = bytearray(Sealer({"k": OLD}, "k").seal(PLAIN, NUMBER))
    sealed[-1] ^= 1
    with pytest.raises(SealBroken) as refused:
        Sealer({"k": OLD}, "k").unseal(bytes(sealed), NUMBER)
    assert refused.value.__cause__ is None
    assert "13800138000" not in repr(refused.value) + refused.value.detail


@pytest.mark.parametrize(
    ("ring", "current", "suite"),
    [
        ({"k": OLD}, "k", "rot13"),
        ({"k": OLD}, "other", "aes-256-gcm"),
        ({}, "", "aes-256-gcm"),
        ({"": OLD}, "", "aes-256-gcm"),
        ({"k" * 256: OLD}, "k" * 256, "aes-256-gcm"),
        ({"k": b"short"}, "k", "aes-256-gcm"),
    ],
)
def test_a_bad_ring_stops_the_start(ring: dict[str, bytes], current: str, suite: str) -> None:
    with pytest.raises(ConfigError):
        Sealer(ring, current, suite)
