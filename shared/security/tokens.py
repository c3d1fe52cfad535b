"""Who calls: signed tokens with a role and, for a unit, its code.

Tokens are JWTs signed with EdDSA. A folder holds the public keys by key id (``<kid>.pub.pem``), so
a key is rotated by adding one; ``revoked.txt`` beside them lists token ids (jti) that no longer
count. Only where tokens are issued does the folder hold a private key (``<kid>.key.pem``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self, get_args

import jwt
import uuid6
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, model_validator

from shared import clock
from shared.caller import Caller
from shared.errors import JiesuError, Unauthenticated
from shared.observability import log, place

AUDIENCE = "jiesu"
Role = Literal[
    "phone_system", "agent", "unit", "desk", "supervisor", "callback", "custodian", "ops", "service"
]
ROLES = get_args(Role)
CACHE_LIMIT = 10_000
REVOKED_EVERY = timedelta(seconds=5)


# --- issuing -----------------------------------------------------------------------------------


def make_key(folder: Path, kid: str) -> None:
    """Make a key pair for a key id, readable by its owner only. Raises FileExistsError: a key that
    was replaced would turn away every token it signed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kid}.key.pem"
    if path.exists():
        raise FileExistsError(path)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / f"{kid}.pub.pem").write_bytes(public)  # first: a private half alone signs in vain
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(private)
    unfinished.rename(path)


def issue(
    folder: Path, role: str, name: str, unit: str | None = None, days: float = 365, kid: str = ""
) -> str:
    """A token for a role, signed with the newest private key of the folder or the named one.

    Raises ValueError for what cannot be signed, OSError for a key that cannot be read.
    """
    if role not in ROLES:
        raise ValueError(f"没有这个角色 unknown role {role!r}; one of {', '.join(ROLES)}")
    if (role == "unit") != (unit is not None):
        raise ValueError(
            "单位令牌须写明单位，其他令牌不得写 a unit's token names its unit, and no other token does"
        )
    names = [path.name.removesuffix(".key.pem") for path in folder.glob("*.key.pem")]
    if not names:
        raise ValueError(
            f"{folder} 没有私钥 holds no private key: `python -m services key NAME` makes one; "
            "the containers' is in --keys var/compose/signing"
        )
    kid = kid or max(names)
    now = clock.real()
    claims = {
        "aud": AUDIENCE,
        "jti": str(uuid6.uuid7()),
        "sub": name,
        "role": role,
        "iat": now,
        "exp": now + timedelta(days=days),
    }
    if unit:
        claims["unit"] = unit
    path = folder / f"{kid}.key.pem"
    try:
        return jwt.encode(claims, path.read_bytes(), algorithm="EdDSA", headers={"kid": kid})
    except (jwt.PyJWTError, TypeError, ValueError):
        raise ValueError(f"{path}: 不是可用的私钥 is no private key that signs") from None


# --- verifying ---------------------------------------------------------------------------------


class RevocationsUnreadable(JiesuError):
    """Which tokens were revoked cannot be read; until it can, nobody is let in."""

    status = 503
    slug = "revocations-unreadable"
    title = "吊销名单不可读，请联系运维 revoked.txt cannot be read: operators, mend its mode"


class TokenClaims(BaseModel):
    """What a token of ours says; whatever says anything else was issued in error."""

    model_config = ConfigDict(strict=True)
    sub: str
    jti: str
    exp: float
    role: Role
    unit: str | None = None

    @model_validator(mode="after")
    def _is_a_units_when_it_names_one(self) -> Self:
        if (self.role == "unit") != bool(self.unit):  # or it would be every unit's
            raise ValueError("unit")
        return self


class TokenVerifier:
    """Verifies tokens; a verified one is remembered until it expires (a check costs 0.4 ms)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, bytes] = {}
        self._known: dict[str, tuple[Caller, str, datetime]] = {}
        self._revoked: frozenset[str] = frozenset()
        self._looked = datetime.min.replace(tzinfo=clock.real().tzinfo)

    def admit(self, token: str) -> Caller:
        """The caller a token names. Raises Unauthenticated, RevocationsUnreadable."""
        now = clock.real()
        known = self._known.get(token)
        if known is None or known[2] <= now:
            known = self._verify(token)
            if len(self._known) >= CACHE_LIMIT:
                self._known.clear()
            self._known[token] = known
        caller, jti, _ = known
        if jti in self._revocations(now):
            raise Unauthenticated("令牌已吊销 The token was revoked")
        return caller

    def _verify(self, token: str) -> tuple[Caller, str, datetime]:
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            payload = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "role", "jti"]},
            )
            claims = TokenClaims.model_validate(payload)
            until = datetime.fromtimestamp(claims.exp, UTC)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("令牌已过期 The token has expired") from None
        except (jwt.InvalidTokenError, OSError, OverflowError, ValueError):
            raise Unauthenticated("令牌无效 The token is not valid") from None
        return Caller(claims.role, claims.sub, claims.unit), claims.jti, until

    def _key(self, kid: str) -> bytes:
        if not kid.replace("-", "").isalnum():
            raise ValueError("no key id")
        if kid not in self._keys:
            self._keys[kid] = (self._folder / f"{kid}.pub.pem").read_bytes()
        return self._keys[kid]

    def _revocations(self, now: datetime) -> frozenset[str]:
        if now - self._looked > REVOKED_EVERY:
            path = self._folder / "revoked.txt"
            try:
                self._revoked = frozenset(path.read_text().split() if path.exists() else ())
            except OSError as error:  # whom it names is not known: nobody comes in
                log.error("revoked.txt cannot be read", path=str(path), why=place(error))
                raise RevocationsUnreadable from None
            self._looked = now
        return self._revoked
