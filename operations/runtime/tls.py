"""TLS by settings: what we serve with, and whom we trust when we connect.

Everything we connect with listens to the two variables everybody knows, so there is nothing of our
own between a setting and its effect: ``SSL_CERT_FILE`` (OpenSSL: the broker, outgoing HTTP) and
``PGSSLROOTCERT`` (PostgreSQL). ``JIESU_TLS_CA`` sets both.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

from pydantic import FilePath
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigError


class Tls(BaseSettings):
    """PEM files: ``tls_cert`` (our certificate, with its chain) and ``tls_key`` serve HTTPS;
    ``tls_ca`` is trusted by all our connections: ``amqps://``, ``?ssl=verify-full``, ``https://``.
    """

    model_config = SettingsConfigDict(
        env_prefix="JIESU_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    tls_cert: FilePath | None = None
    tls_key: FilePath | None = None
    tls_ca: FilePath | None = None

    def trust(self) -> None:
        """Let every connection of this process trust ``tls_ca``. Raises ConfigError."""
        if self.tls_ca:
            _read(ssl.create_default_context().load_verify_locations, self.tls_ca)
            os.environ["SSL_CERT_FILE"] = os.environ["PGSSLROOTCERT"] = str(self.tls_ca)

    def serving(self) -> dict[str, Any]:
        """How uvicorn serves: HTTPS, or plain HTTP without a certificate. Raises ConfigError."""
        if not self.tls_cert and not self.tls_key:
            return {}
        if not (self.tls_cert and self.tls_key):
            raise ConfigError("JIESU_TLS_CERT 与 JIESU_TLS_KEY 须同时设置 are set both or neither")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        _read(context.load_cert_chain, self.tls_cert, self.tls_key)
        return {"ssl_certfile": self.tls_cert, "ssl_keyfile": self.tls_key}


def _read(load: Any, *files: Path) -> None:
    try:
        load(*files)
    except OSError as error:  # ssl.SSLError is one
        names = ", ".join(map(str, files))
        raise ConfigError(f"{names}: 证书无法使用 cannot be used: {error.strerror}") from None
