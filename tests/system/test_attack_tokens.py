"""What somebody did to a token to pass for another: every one of them is answered 401."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import clock
from shared.errors import Unauthenticated
from shared.security.tokens import (
    AUDIENCE,
    REVOKED_EVERY,
    RevocationsUnreadable,
    TokenVerifier,
    issue,
    make_key,
)
from tests.fixtures.bench import Bench, bench
from tests.fixtures.benches import Template
from tests.fixtures.postgres import Postgres

FACTS = "/v1/facts"


@pytest.fixture(scope="module")
async def intake(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """One intake for all of them: none of them gets to change anything."""
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, anonymous_per_minute=10_000) as one,
    ):
        yield one


def claims(**changes: Any) -> dict[str, Any]:
    """What a token of ours says; None leaves a claim out."""
    said = {
        "aud": AUDIENCE,
        "jti": "0",
        "sub": "mallory",
        "role": "ops",
        "iat": clock.real(),
        "exp": clock.real() + timedelta(days=1),
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def signed(keys: Path, kid: Any = "test", **changes: Any) -> str:
    """A token signed with the real key, whatever it says."""
    key = (keys / "test.key.pem").read_bytes()
    return jwt.encode(claims(**changes), key, algorithm="EdDSA", headers={"kid": kid})


def part(content: Any) -> str:
    """One part of a token."""
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(header: dict[str, Any], signature: str = "") -> str:
    """A token nobody signed."""
    body = claims(exp=int(clock.real().timestamp()) + 600, iat=None)
    return f"{part(header)}.{part(body)}.{signature}"


async def status(bench: Bench, authorization: str | bytes) -> int:
    """What a header is answered."""
    given = authorization.encode() if isinstance(authorization, str) else authorization
    answer = await bench.http(None).get(FACTS, headers=[(b"Authorization", given)])
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code


async def test_a_token_of_ours_passes(intake: Bench, keys: Path) -> None:
    assert await status(intake, f"Bearer {signed(keys)}") == 200
    assert await status(intake, f"bearer {signed(keys)}") == 200


# --- the algorithm -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], {}, "EdDSA"]
)
async def test_a_token_nobody_signed(intake: Bench, algorithm: Any) -> None:
    assert await status(intake, f"Bearer {unsigned({'alg': algorithm, 'kid': 'test'})}") == 401


async def test_a_public_key_is_no_secret(intake: Bench, keys: Path) -> None:
    """The oldest of all: a verifier that lets the token choose HMAC keys it with the public key."""
    public = (keys / "test.pub.pem").read_bytes()
    head = f"{part({'alg': 'HS256', 'kid': 'test'})}.{part(claims(iat=None, exp=2**40))}"
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = urlsafe_b64encode(mac.sign(head.encode(), public)).decode().rstrip("=")
    assert await status(intake, f"Bearer {head}.{signature}") == 401


async def test_a_key_in_the_header_is_not_asked(intake: Bench) -> None:
    own = Ed25519PrivateKey.generate()
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(own.public_key(), as_dict=True)
    for header in ({"jwk": jwk}, {"jku": "http://127.0.0.1/keys"}, {"x5u": "http://127.0.0.1/"}):
        token = jwt.encode(claims(), own, algorithm="EdDSA", headers={"kid": "test", **header})
        assert await status(intake, f"Bearer {token}") == 401


# --- the key id --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kid",
    [
        "../test", "./test", "test.pub.pem", "test/../test", "/etc/passwd", "..%2ftest", "test\0",
        "", " ", "other", "x" * 300, "x" * 100_000, "²", "～", None, 0, [], {"a": 1}, True,
    ],
)  # fmt: skip
async def test_a_key_id_leads_nowhere_else(intake: Bench, keys: Path, kid: Any) -> None:
    good = signed(keys)
    _, body, signature = good.split(".")
    head = {"alg": "EdDSA", "typ": "JWT"} | ({} if kid is None else {"kid": kid})
    assert await status(intake, f"Bearer {part(head)}.{body}.{signature}") in (401, 431)


async def test_a_key_id_of_ours_with_another_keys_signature(intake: Bench, keys: Path) -> None:
    make_key(keys, "second")
    try:
        token = issue(keys, "ops", "mallory", kid="second")
        assert await status(intake, f"Bearer {token}") == 200
        _, body, signature = token.split(".")
        swapped = f"{part({'alg': 'EdDSA', 'kid': 'test'})}.{body}.{signature}"
        assert await status(intake, f"Bearer {swapped}") == 401
    finally:
        (keys / "second.key.pem").unlink()
        (keys / "second.pub.pem").unlink()


# --- what it says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 0}, {"exp": -(2**63)}, {"exp": None}, {"exp": "soon"}, {"exp": 1e300},
        {"exp": 2**62}, {"exp": 10**12}, {"exp": []},
        {"iat": 2**40}, {"nbf": 2**40}, {"nbf": "later"},
        {"aud": "elsewhere"}, {"aud": None}, {"aud": ["elsewhere"]}, {"aud": 5},
        {"sub": None}, {"sub": 5}, {"role": None}, {"jti": None}, {"jti": 5},
        {"role": "unit"}, {"role": "unit", "unit": ""}, {"role": "unit", "unit": ["HC"]},
        {"role": "unit", "unit": {"a": 1}}, {"role": ["ops"]}, {"role": "ops", "unit": "HC"},
        {"role": "root"}, {"role": "OPS"}, {"role": "ops "},
    ],
)  # fmt: skip
async def test_what_no_token_of_ours_says(
    intake: Bench, keys: Path, changes: dict[str, Any]
) -> None:
    """Signed with our key, as by an issuer with a fault: still not let in, and never a 500."""
    assert await status(intake, f"Bearer {signed(keys, **changes)}") == 401


async def test_another_audience_beside_ours_is_ours(intake: Bench, keys: Path) -> None:
    assert await status(intake, f"Bearer {signed(keys, aud=['elsewhere', AUDIENCE])}") == 200


async def test_every_letter_counts(intake: Bench, keys: Path) -> None:
    good = signed(keys)
    head, body, signature = good.split(".")
    said = json.loads(urlsafe_b64decode(body + "=="))
    for forged in (
        f"{head}.{part(said | {'role': 'desk'})}.{signature}",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
        f"{head}..{signature}",
        f"{good}=",
        f"{good}.",
    ):
        assert await status(intake, f"Bearer {forged}") == 401, forged


# --- the header --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"", b"Bearer", b"Bearer ", b"Basic b3BzOm9wcw==", b"Bearer \xff\xfe\xfd", b"Bearer a b c",
        b"Bearer " + "令牌".encode(), b"Bearer " + b"." * 50_000, b"Bearer " + b"A" * 50_000,
        b"Bearer " + b"A" * 20_000 + b"." + b"A" * 20_000 + b".AA", b"\x00", b"Bearer e30.e30.",
    ],
)  # fmt: skip
async def test_a_header_that_is_no_token(intake: Bench, header: bytes) -> None:
    assert await status(intake, header) == 401


async def test_a_good_token_beside_a_bad_one_is_read_once(intake: Bench, keys: Path) -> None:
    """RequestLimits and door read the same header of two."""
    good, bad = f"Bearer {signed(keys)}".encode(), b"Bearer bad"
    both = [(b"Authorization", bad), (b"Authorization", good)]
    assert (await intake.http(None).get(FACTS, headers=both)).status_code == 401


async def test_a_token_in_the_address_is_none(intake: Bench, keys: Path) -> None:
    for name in ("token", "access_token", "Authorization"):
        answer = await intake.http(None).get(FACTS, params={name: signed(keys)})
        assert (answer.status_code, answer.json()["parameter"]) == (422, name)


# --- a token that was let in before ------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Keys of a test's own."""
    make_key(tmp_path, "0001")
    return tmp_path


def test_a_remembered_token_is_refused_once_it_has_expired(folder: Path) -> None:
    gate, token = TokenVerifier(folder), issue(folder, "ops", "li", days=1)
    with time_machine.travel(clock.real(), tick=False) as wall:
        assert gate.admit(token).role == "ops"
        wall.shift(timedelta(days=1))
        with pytest.raises(Unauthenticated, match="expired"):
            gate.admit(token)


def test_a_remembered_token_is_refused_soon_after_it_was_revoked(folder: Path) -> None:
    gate, token = TokenVerifier(folder), issue(folder, "ops", "li")
    with time_machine.travel(clock.real(), tick=False) as wall:
        assert gate.admit(token).role == "ops"
        jti = jwt.decode(token, options={"verify_signature": False})["jti"]
        (folder / "revoked.txt").write_text(f"{jti}\n")
        wall.shift(REVOKED_EVERY + timedelta(seconds=1))
        with pytest.raises(Unauthenticated, match="revoked"):
            gate.admit(token)


def test_while_the_revocations_cannot_be_read_nobody_is_let_in(folder: Path) -> None:
    gate, token = TokenVerifier(folder), issue(folder, "ops", "li")
    (folder / "revoked.txt").mkdir()  # root may read any file
    for _ in range(2):
        with pytest.raises(RevocationsUnreadable):
            gate.admit(token)
    (folder / "revoked.txt").rmdir()
    assert gate.admit(token).role == "ops"


def test_a_key_is_not_made_over_another(folder: Path) -> None:
    before = (folder / "0001.key.pem").read_bytes()
    with pytest.raises(FileExistsError):
        make_key(folder, "0001")
    assert (folder / "0001.key.pem").read_bytes() == before


def test_a_private_key_is_its_owners_alone(folder: Path) -> None:
    assert (folder / "0001.key.pem").stat().st_mode & 0o077 == 0
