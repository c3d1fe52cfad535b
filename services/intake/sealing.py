"""密封: sealing personal data, so that it can be read with its key only (R-36, R-37)."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import ConfigError, JiesuError
from shared.security.digests import subkey

NONCE_BYTES, TAG_BYTES = 12, 16


class SM4GCM:
    """SM4 with the methods of AESGCM: cryptography has it as a bare cipher only."""

    def __init__(self, key: bytes) -> None:
        self._cipher = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """Ciphertext and tag. Raises UnsupportedAlgorithm."""
        sealing = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(bound)
        return sealing.update(plain) + sealing.finalize() + sealing.tag

    def decrypt(self, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """What was encrypted. Raises InvalidTag."""
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        opening = Cipher(self._cipher, modes.GCM(nonce, tag)).decryptor()
        opening.authenticate_additional_data(bound)
        return opening.update(body) + opening.finalize()


SUITES: Mapping[str, tuple[int, type[AESGCM | SM4GCM], int]] = {
    "aes-256-gcm": (1, AESGCM, 32),  # name: (its byte in a seal, cipher, key bytes)
    "sm4-gcm": (2, SM4GCM, 16),
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
        self._ciphers = {
            _head(mark, name): cipher(subkey(secret, f"seal {label}", size))
            for label, (mark, cipher, size) in SUITES.items()
            for name, secret in ring.items()
        }
        self.head = _head(SUITES[suite][0], current)  # how its seals begin
        try:
            self.seal(b"", "")
        except UnsupportedAlgorithm:
            raise ConfigError(f"this build of cryptography lacks the suite {suite!r}") from None

    def seal(self, plain: bytes, bound: str) -> bytes:
        """Seal bytes; they open only with the same ``bound``, for example the ticket number."""
        nonce = os.urandom(NONCE_BYTES)
        cipher, context = self._ciphers[self.head], self.head + bound.encode()
        sealed = cipher.encrypt(nonce, plain, context)
        return self.head + nonce + sealed[-TAG_BYTES:] + sealed[:-TAG_BYTES]

    def unseal(self, sealed: bytes, bound: str) -> bytes:
        """Open a seal. Raises KeyMissing, or SealBroken; neither carries what was sealed."""
        at = 2 + (sealed[1] if len(sealed) > 1 else 0)
        head, nonce, rest = sealed[:at], sealed[at : at + NONCE_BYTES], sealed[at + NONCE_BYTES :]
        if len(rest) < TAG_BYTES:
            raise SealBroken
        if head not in self._ciphers:
            raise KeyMissing
        context, body = head + bound.encode(), rest[TAG_BYTES:] + rest[:TAG_BYTES]
        try:
            return self._ciphers[head].decrypt(nonce, body, context)
        except InvalidTag:
            raise SealBroken from None

    def key_of(self, sealed: bytes) -> str:
        """The id of the key a seal names."""
        return sealed[2 : 2 + sealed[1]].decode(errors="replace")


def _head(mark: int, key_id: str) -> bytes:
    name = key_id.encode()
    return bytes([mark, len(name)]) + name
