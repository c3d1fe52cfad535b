"""docs/connect-phone.md: its picture is the machine's, its examples run, what it names exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from operations import contracts
from operations.runtime.registry import NAMES
from services.feedback.rules import machine
from shared import clock
from tests.fixtures.source import PROJECT

PAGE = (PROJECT / "docs" / "connect-phone.md").read_text("utf-8")
ARROW = re.compile(r"^ +(\S+) --> (\w+): (\S+)$", re.MULTILINE)
SECRET = b64encode(b"a secret of thirty-two bytes....").decode()
BODY = '{"type": "callback.test", "name": "王小明"}'.encode()
Check = Callable[[str, dict[str, str], bytes], bool]


def block(language: str) -> str:
    """The example in a language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def signed(age: float = 0) -> dict[str, str]:
    """Headers of a request that was signed some seconds ago."""
    when = clock.real() - timedelta(seconds=age)
    return {
        "webhook-id": "1.1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("1.1", when, BODY.decode()),
    }


def in_python(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The Python example's answer."""
    names: dict[str, Any] = {}
    exec(compile(block("python"), "connect-phone.md", "exec"), names)
    genuine: bool = names["is_genuine"](secret, headers, body)
    return genuine


def in_javascript(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The JavaScript example's answer."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the JavaScript of docs/connect-phone.md was not run")
    told = json.dumps([secret, headers, body.decode()])
    ask = f"const [s, h, b] = {told}; console.log(isGenuine(s, h, Buffer.from(b)));"
    answer = subprocess.run(
        [node, "-e", block("javascript") + ask], capture_output=True, check=True
    )
    return answer.stdout.strip() == b"true"


@pytest.mark.parametrize("check", [in_python, in_javascript])
def test_the_example_knows_a_signature(check: Check) -> None:
    assert check(SECRET, signed(), BODY)
    assert check(f"whsec_{SECRET}", signed(), BODY)
    rotated = signed()["webhook-signature"]
    assert check(SECRET, signed() | {"webhook-signature": f"v1,{'A' * 43}= {rotated}"}, BODY)
    assert not check(SECRET, signed(), BODY + b" ")
    assert not check(b64encode(b"x" * 32).decode(), signed(), BODY)
    assert not check(SECRET, signed(age=301), BODY)
    assert not check(SECRET, signed() | {"webhook-id": "2.1"}, BODY)


def test_the_picture_is_the_machines() -> None:
    drawn = {(status, action, to) for status, to, action in ARROW.findall(PAGE)}
    assert drawn == {
        (str(status), str(action), str(to))
        for status, moves in machine.MOVES.items()
        for action, to in moves.items()
        if to != status
    }
    assert "[*] --> planned\n" in PAGE


def test_every_part_was_put_in() -> None:
    assert "{{" not in PAGE


def test_the_routes_it_names_exist() -> None:
    published = {path for name in NAMES for path in contracts.openapi(name)["paths"]}
    said = re.findall(r"(?:GET|POST) (/v1/[\w/{}-]+)(?=`|─)", PAGE)
    assert len(said) >= 4
    assert set(said) - {"/v1/codes/{areas"} <= published


def test_the_commands_it_names_exist() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    assert set(re.findall(r"`(?:\S+=\S+ )?make ([a-z-]+)", PAGE)) <= targets
