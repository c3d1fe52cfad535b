"""Keyed digests: what is digested can be compared but not reversed (R-37)."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import ConfigError

SECRET_BYTES = 32


def subkey(secret: bytes, purpose: str, length: int = SECRET_BYTES) -> bytes:
    """A key for one purpose alone, of ``length`` bytes. Raises ConfigError for a short secret."""
    if len(secret) < SECRET_BYTES:
        raise ConfigError(f"a secret must have at least {SECRET_BYTES} bytes")
    return HKDF(SHA256(), length, salt=None, info=b"jiesu " + purpose.encode()).derive(secret)


class Digester:
    """Keyed digests: equal values can be found, nobody without the secret can try values out."""

    def __init__(self, secret: bytes) -> None:
        """Raises ConfigError when the secret is shorter than 32 bytes."""
        self._secret = secret
        self._begun = {"fingerprint": self._begin("fingerprint")}

    def fingerprint(self, content: bytes) -> str:
        """Hex digest of a request, to tell the same request from another one."""
        return self.digest("fingerprint", content).hex()

    def digest(self, use: str, content: bytes) -> bytes:
        """32 bytes; the same content has another digest for every use."""
        begun = self._begun.get(use)
        if begun is None:
            begun = self._begun[use] = self._begin(use)
        mac = begun.copy()  # a sixth of what it costs to begin with the key
        mac.update(content)
        return mac.finalize()

    def _begin(self, use: str) -> HMAC:
        return HMAC(subkey(self._secret, use), SHA256())
