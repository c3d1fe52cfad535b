"""密封: sealing personal data, so that it can be read with its key only (R-36, R-37)."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from shared.errors import ConfigError, JiesuError
from shared.security.digests import subkey

NONCE_BYTES, TAG_BYTES = 12, 16
SUITES = {  # name: (its byte in a seal, cipher, key bytes)
    "aes-256-gcm": (1, algorithms.AES, 32),
    "sm4-gcm": (2, algorithms.SM4, 16),
}


class SealBroken(JiesuError):
    """A seal does not open: it was changed, or belongs to another key or another ticket."""

    status = 500
    slug = "seal-broken"
    title = "密封数据无法读取 Sealed data cannot be read"


class KeyMissing(SealBroken):
    """A seal names a key that the key ring does not hold."""

    slug = "seal-key-missing"
    title = "密钥环缺少密钥 The key ring lacks the key of this seal"


class Sealer:
    """Seals bytes under the current key and opens whatever any key of the ring sealed.

    A seal is: suite byte, length of the key id, key id, nonce, tag, ciphertext. To rotate, add a
    key and make it current; drop the old one when nothing is sealed under it any more. The suite
    can be changed the same way: each suite has its own key derived from the ring's secret.
    """

    def __init__(self, ring: Mapping[str, bytes], current: str, suite: str = "aes-256-gcm") -> None:
        """Raises ConfigError for an unknown suite, a bad key id or secret, no current key."""
        if suite not in SUITES:
            raise ConfigError(f"unknown suite {suite!r}; one of {', '.join(SUITES)}")
        if current not in ring or not all(0 < len(name.encode()) < 256 for name in ring):
            raise ConfigError(f"the key ring lacks its current key {current!r} or an id is bad")
        self._keys = {
            (mark, name): subkey(secret, f"seal {label}", size)
            for label, (mark, _, size) in SUITES.items()
            for name, secret in ring.items()
        }
        key_id = current.encode()
        self.head = bytes([SUITES[suite][0], len(key_id)]) + key_id  # how its seals begin
        try:
            self.seal(b"", "")
        except UnsupportedAlgorithm:
            raise ConfigError(f"this build of cryptography lacks the suite {suite!r}") from None

    def seal(self, plain: bytes, bound: str) -> bytes:
        """Seal bytes; they open only with the same ``bound``, for example the ticket number."""
        nonce = os.urandom(NONCE_BYTES)
        sealing = self._cipher(self.head, nonce, None).encryptor()
        sealing.authenticate_additional_data(self.head + bound.encode())
        body = sealing.update(plain) + sealing.finalize()
        return self.head + nonce + sealing.tag + body

    def unseal(self, sealed: bytes, bound: str) -> bytes:
        """Open a seal. Raises KeyMissing, or SealBroken; neither carries what was sealed."""
        at = 2 + (sealed[1] if len(sealed) > 1 else 0)
        head, nonce, rest = sealed[:at], sealed[at : at + NONCE_BYTES], sealed[at + NONCE_BYTES :]
        if len(rest) < TAG_BYTES:
            raise SealBroken
        opening = self._cipher(head, nonce, rest[:TAG_BYTES]).decryptor()
        opening.authenticate_additional_data(head + bound.encode())
        try:
            return opening.update(rest[TAG_BYTES:]) + opening.finalize()
        except InvalidTag:
            raise SealBroken from None

    def key_of(self, sealed: bytes) -> str:
        """The id of the key a seal names."""
        return sealed[2 : 2 + sealed[1]].decode(errors="replace")

    def _cipher(self, head: bytes, nonce: bytes, tag: bytes | None) -> Cipher[modes.GCM]:
        key = self._keys.get((head[0], head[2:].decode(errors="replace")))
        if key is None:
            raise KeyMissing
        kind = next(kind for mark, kind, _ in SUITES.values() if mark == head[0])
        return Cipher(kind(key), modes.GCM(nonce, tag))
