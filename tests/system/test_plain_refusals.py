"""Commands typed wrong, or on files that are missing, damaged or somebody else's: one plain message,
exit code 1 or 2, and never a traceback.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from operations.cli import plain
from tests.fixtures.bench import ROOT
from tests.fixtures.commands import Printed, started, typed

NOWHERE = "postgresql+asyncpg://u:secret-7@127.0.0.1:1/jiesu_{service}"
KEY = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
SECRETS = {
    "JIESU_INDEX_KEY": KEY,
    "JIESU_VAULT_KEYS": json.dumps({"a": KEY}),
    "JIESU_VAULT_CURRENT": "a",
    "JIESU_WEBHOOK_SECRET": KEY,
}
GIVEN = {"JIESU_DATABASE_URL": NOWHERE} | SECRETS


def run(*words: str, **environment: str) -> Printed:
    """Type a command beside these variables, and a database that is not there."""
    return typed(*words, **GIVEN | environment)


WRONG = [
    "dead nope", "replay --id 3", "replay tracker --id 3", "dead", "stuck --at nope", "migrate",
    "resend", "resend --since x", "resend --since 2026-01-01", "resend --ticket 20260101-000001",
    "erase 20260101-000001 --reason a --by b", "erase", "retain --older-than 3x", "retain", "reseal",
    "token", "token --role nope", "token --role unit", "token --role unit --unit NOPE",
    "token --role ops --unit HC", "token --role ops --days nan", "token --role ops --days -1",
    "token --role ops --days 1e99", "token --role ops --keys /nowhere",
    "token --role unit --unit HC --config /nowhere", "key ../x", "key .", "key a --keys /proc/x",
    "call-test nope", "call-test ftp://phones.example/", "call-test", "contracts extra",
    "broker-definitions --config /nowhere --passwords /dev/null",
    "broker-definitions --passwords /nowhere/x", "broker-definitions --passwords /", "migration",
    "migration nope x", "intake dispatcher", "nope", "names extra",
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_what_is_typed_wrong_is_refused_in_plain_words(words: str) -> None:
    answer = run(*words.split())
    assert answer.code in (1, 2), answer
    assert answer.err.strip()
    for never in ("Traceback", "secret-7", "sqlalchemy.", "  File "):
        assert never not in answer.err + answer.out


@pytest.mark.parametrize("words", ["names", "dead", "token --role unit --unit NOPE", "nope"])
def test_a_command_answers_the_same_when_python_is_started_for_it(words: str) -> None:
    assert started(*words.split(), **GIVEN) == run(*words.split())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JIESU_DATABASE_URL", "nope://x"),
        ("JIESU_DATABASE_URL", "no address"),
        ("JIESU_DATABASE_URL", "postgresql+asyncpg://u:secret-7@127.0.0.1:port/x"),
        ("JIESU_DATABASE_URL", "postgresql+asyncpg://u:secret-7@127.0.0.1:1/x?ssl=nope"),
        ("JIESU_BUS_URL", "nope"),
        ("JIESU_CONFIG_DIR", "/nowhere"),
        ("JIESU_INDEX_KEY", "secret-7"),
        ("JIESU_VAULT_KEYS", "secret-7"),
        ("JIESU_POOL_SIZE", "many"),
        ("JIESU_TLS_CA", "/nowhere"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_in_plain_words(variable: str, value: str) -> None:
    answer = run("resend", "--ticket", "20260101-000001", **{variable: value})
    assert answer.code == 2, answer
    for never in ("Traceback", "secret-7", "  File "):
        assert never not in answer.err + answer.out


def test_half_made_keys_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.key.pem").write_text("half of a k")
    answer = run("token", "--role", "ops", "--keys", str(tmp_path))
    assert (answer.code, answer.out) == (2, "")
    assert "a.key.pem" in answer.err
    assert "Traceback" not in answer.err


def test_an_id_that_is_taken_is_refused(tmp_path: Path) -> None:
    assert run("key", "2027a", "--keys", str(tmp_path)).code == 0
    before = (tmp_path / "2027a.pub.pem").read_bytes()
    assert run("key", "2027a", "--keys", str(tmp_path)).code == 2
    assert (tmp_path / "2027a.pub.pem").read_bytes() == before
    token = run("token", "--role", "ops", "--keys", str(tmp_path))
    assert (token.code, token.err, token.out.count("\n")) == (0, "", 1)


def test_a_full_disk_and_a_forbidden_file_are_named() -> None:
    for number, words in ((28, "磁盘已满"), (13, "没有权限"), (21, "是目录")):
        assert words in str(plain(OSError(number, os.strerror(number), "/var/x")))
    assert plain(ZeroDivisionError()) is None


# --- make --------------------------------------------------------------------------------------

PRINTS = ("token", "dead", "replay", "stuck", "call-test", "migration", "service")


@pytest.mark.parametrize("target", PRINTS)
def test_what_a_program_reads_is_not_mixed_with_the_recipe(target: str) -> None:
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert recipe
    lines = re.sub(r"\\\n", "", recipe[1]).splitlines()
    assert [line for line in lines if not line.startswith("\t@")] == []


def test_uv_is_installed_by_its_hashes() -> None:
    script = (ROOT / "setup.sh").read_text()
    [command] = re.findall(r"sed -n '[^']+' requirements\.lock", script)
    printed = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    names = [line for line in printed.stdout.splitlines() if not line.startswith(" ")]
    assert len(names) == 1
    assert names[0].startswith("uv==")
    assert printed.stdout.count("--hash=sha256:") > 5
    for line in re.sub(r"\\\n", "", script).splitlines():
        assert "pip install" not in line or "--require-hashes" in line
