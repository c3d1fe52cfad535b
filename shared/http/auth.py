"""Who calls: signed tokens with a role and, for a unit, its code.

Tokens are JWTs signed with EdDSA. A folder holds the public keys by key id (``<kid>.pub.pem``), so
a key is rotated by adding one; ``revoked.txt`` beside them lists token ids (jti) that no longer
count. Only where tokens are issued does the folder hold a private key (``<kid>.key.pem``).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import jwt
import uuid6
from annotated_types import GroupedMetadata
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, Header, Request
from fastapi import Path as InPath
from fastapi.security import HTTPBearer
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
    model_validator,
)

from shared import clock
from shared.errors import Forbidden, JiesuError, Unauthenticated
from shared.observability import log, place
from shared.storage.act import Act, Asked, Caller

AUDIENCE = "jiesu"
Role = Literal["phone_system", "unit", "desk", "supervisor", "callback", "ops", "service"]
ROLES = get_args(Role)
CACHE_LIMIT = 10_000
REVOKED_EVERY = timedelta(seconds=5)


# --- issuing -----------------------------------------------------------------------------------


def make_key(folder: Path, kid: str) -> None:
    """Make a key pair for a key id, readable by its owner only. Raises FileExistsError: a key that
    was replaced would turn away every token it signed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    path = folder / f"{kid}.key.pem"
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(private)
    (folder / f"{kid}.pub.pem").write_bytes(public)


def issue(
    folder: Path, role: str, name: str, unit: str | None = None, days: float = 365, kid: str = ""
) -> str:
    """A token for a role, signed with the newest private key of the folder or the named one."""
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}; one of {', '.join(ROLES)}")
    if (role == "unit") != (unit is not None):
        raise ValueError("a unit's token names its unit, and no other token does")
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
    key = (folder / f"{kid}.key.pem").read_bytes()
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": kid})


# --- verifying ---------------------------------------------------------------------------------


class RevocationsUnreadable(JiesuError):
    """Which tokens were revoked cannot be read; until it can, nobody is let in."""

    status = 503
    slug = "revocations-unreadable"
    title = "吊销名单不可读，请联系运维 revoked.txt cannot be read: operators, mend its mode"


class Claims(BaseModel):
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


class Gate:
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

    def knows(self, token: str) -> bool:
        """Whether a token is one of ours."""
        try:
            self.admit(token)
        except JiesuError:
            return False
        return True

    def _verify(self, token: str) -> tuple[Caller, str, datetime]:
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "role", "jti"]},
            )
            said = Claims.model_validate(claims)
            until = datetime.fromtimestamp(said.exp, UTC)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("令牌已过期 The token has expired") from None
        except (jwt.InvalidTokenError, OSError, OverflowError, ValueError):
            raise Unauthenticated("令牌无效 The token is not valid") from None
        return Caller(said.role, said.sub, said.unit), said.jti, until

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


# --- the doors' dependencies -------------------------------------------------------------------

bearer = HTTPBearer(auto_error=False, description="令牌 token: role, and unit for a unit")
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$")
]


def calling(*roles: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency that gives the caller, when the token's role is one of these."""

    async def caller(request: Request, token: Annotated[Any, Depends(bearer)] = None) -> Caller:
        if token is None:
            raise Unauthenticated
        known: Caller = request.app.state.service.gate.admit(token.credentials)
        if known.role not in roles:
            raise Forbidden(f"需要角色 needed: {', '.join(roles)}", role=known.role)
        return known

    return caller


def acting(*roles: str) -> Callable[..., AsyncIterator[Act[Any]]]:
    """A dependency that gives the act of a caller with one of these roles.

    Use it with ``scope="function"``: it commits before the response leaves, so a failing commit
    is an error to the caller and never a success that did not happen.
    """

    async def act(
        request: Request,
        caller: Annotated[Caller, Depends(calling(*roles))],
        key: Key = None,
    ) -> AsyncIterator[Act[Any]]:
        asked = Asked(f"{request.method} {request.url.path}", key)
        store = request.app.state.service.store
        async with store.act(caller.actor, caller=caller, asked=asked) as opened:
            yield opened

    return act


# --- paths -------------------------------------------------------------------------------------

# A ticket's number, as intake's compose_number makes it.
Number = Annotated[str, InPath(pattern=r"^[0-9]{8}-[0-9]{6}$", examples=["20260302-000001"])]


# --- bodies ------------------------------------------------------------------------------------


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, so a typing error is no silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("时刻超出范围 the moment is before year 1 or after year 9999") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def _with_neighbours(value: date) -> date:
    if not date.min.year < value.year < date.max.year:
        raise ValueError("日期超出范围 the day lies in year 1 or in year 9999")
    return value


# A day whose beginning and end are moments in any zone.
Day = Annotated[date, AfterValidator(_with_neighbours)]


def _no_controls(value: str) -> str:
    if any(ord(c) < 32 and c not in "\n\t\r" for c in value) or "\x7f" in value:
        raise ValueError("含有控制字符 control characters such as NUL are not allowed")
    return value


@dataclass(frozen=True)
class Text(GroupedMetadata):
    """``Annotated[str, Text(100)]``: stripped, not empty, bounded, free of control characters."""

    max_length: int
    min_length: int = 1

    def __iter__(self) -> Iterator[object]:
        yield StringConstraints(
            strip_whitespace=True, min_length=self.min_length, max_length=self.max_length
        )
        yield AfterValidator(_no_controls)
