"""Settings every service shares; each service adds its own knobs in its settings.py.

Read from the environment with the prefix ``JIESU_``. Outside the embedded mode the secrets that
make development easy are refused, so no county runs with them by accident.
"""

from __future__ import annotations

import base64
import binascii
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.jurisdiction.folder import Files, Folder

RELEASE = "0.1.0"  # pyproject.toml says the same
DEVELOPMENT_KEY = base64.b64encode(b"jiesu development key, 32 bytes.").decode()


class ServiceSettings(BaseSettings):
    """What a service needs to run at all.

    ``database_url`` and ``bus_url`` are the only two that differ between embedded and Compose.
    ``index_key`` keys request hashes and blind indexes; base64 of 32 bytes.
    ``drain_seconds``: how long a service that was asked to stop goes on serving while /readyz says
    no; ``stop_seconds`` is the whole budget for a clean stop after that. ``relay_gather``,
    ``receive_gather``: seconds a fact may wait for company before it is relayed and, from a broker,
    when it arrives. More makes fewer, larger transactions and later facts
    (docs/adr/0026-waiting-for-company.md).

    ``config_dir``: the county's folder of rules. ``build``: what built this code, a commit say.
    ``clock_start``: where a simulated clock starts, such as 2026-03-02T09:00+08:00; else now.
    ``anonymous_per_minute``: requests an address may make without a valid token.
    ``trusted_proxies``: addresses or networks, by commas, whose X-Forwarded-For is believed.
    ``open_metrics``: anybody may read ``/metrics``; else it takes a token of role ops or service.
    ``connections`` at once; a request's head comes within ``head_seconds``, its body within
    ``body_seconds``.
    """

    model_config = SettingsConfigDict(
        env_prefix="JIESU_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    files: ClassVar[type[Files]] = Files  # those of the county's folder that load() reads

    embedded: bool = False
    build: str = ""
    database_url: str = "postgresql+asyncpg://localhost/jiesu"
    bus_url: str = "local://jiesu"
    config_dir: Path = Path("config/ziyang")
    token_keys: Path = Path("var/keys")
    index_key: SecretStr = SecretStr(DEVELOPMENT_KEY)
    clock: str = Field(default="real", pattern="^(real|simulated)$")
    clock_start: AwareDatetime | None = None
    pool_size: int = Field(default=5, ge=1)
    stop_seconds: float = Field(default=20.0, gt=0)
    drain_seconds: float = Field(default=0.0, ge=0)
    publish_timeout: float = Field(default=10.0, gt=0)
    relay_gather: float = Field(default=0.0, ge=0)
    receive_gather: float = Field(default=0.05, ge=0)
    log_level: str = "INFO"
    anonymous_per_minute: int = Field(default=300, ge=1)
    trusted_proxies: str = ""
    open_metrics: bool = False
    connections: int = Field(default=800, ge=1)
    head_seconds: float = Field(default=15.0, gt=0)
    body_seconds: float = Field(default=30.0, gt=0)

    @field_validator("index_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        return check_key(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for name in filter(None, value.split(",")):
            if ip_network(name.strip(), strict=False).prefixlen == 0:
                raise ValueError("who trusts everybody lets everybody name an address")
        return value

    @model_validator(mode="after")
    def _no_development_secrets(self) -> Self:
        if not self.embedded:
            for name, value in self.secrets().items():
                if value.get_secret_value() == DEVELOPMENT_KEY:
                    raise ValueError(f"JIESU_{name.upper()} is the development key; set your own")
            for name in ("database_url", "bus_url"):
                address = urlsplit(getattr(self, name))
                if address.password and address.password == address.username:
                    raise ValueError(f"JIESU_{name.upper()} has its user's name for a password")
        return self

    def secrets(self) -> dict[str, SecretStr]:
        """Every secret of this service by field name."""
        fields: dict[str, Any] = dict(self)
        return {name: value for name, value in fields.items() if isinstance(value, SecretStr)}

    def folder(self, taken: Folder | None = None) -> Folder:
        """The county's folder as it was taken, else as it is now. Raises ConfigError."""
        return taken or Folder.take(self.config_dir)

    def load(self, folder: Folder | None = None) -> Any:
        """The rules in force, read from ``folder``, else from config_dir; services that have none
        return None. Raises ConfigError.
        """
        return None

    @property
    def release(self) -> str:
        """Which code this is: the version, and what built it."""
        return f"{RELEASE}+{self.build}" if self.build else RELEASE


def check_key(value: SecretStr) -> SecretStr:
    """Refuse anything but base64 of 32 bytes."""
    try:
        raw = base64.b64decode(value.get_secret_value(), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if len(raw) != 32:
        raise ValueError("must be base64 of 32 bytes")
    return value


def key_bytes(value: SecretStr) -> bytes:
    """The 32 bytes of a checked key."""
    return base64.b64decode(value.get_secret_value())
