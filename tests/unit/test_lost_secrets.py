"""A lost or foreign ``.env`` beside a deployment: nothing is written, and one sentence says whence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from operations.containers import compose, deployed, environment
from operations.containers.compose import Project, variables
from operations.containers.deployed import Deployed, check, check_beside, recovered
from operations.containers.environment import complete
from operations.runtime.registry import NAMES
from shared.errors import ConfigError

VOLUMES = ("jiesu_postgres", "jiesu_rabbitmq")


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """A deployment's secrets, as they are first made."""
    file = tmp_path / "made"
    complete(file, tmp_path / "signing", tmp_path / "keys")
    return variables(file)


def running(secrets: dict[str, str]) -> Deployed:
    """The containers `make up` makes with some secrets."""
    environments = {
        name: {
            "JIESU_DATABASE_URL": f"postgresql+asyncpg://jiesu_{name}:"
            f"{secrets[f'{name.upper()}_DATABASE_PASSWORD']}@postgres/jiesu_{name}",
            "JIESU_BUS_URL": f"amqp://{name}:{secrets[f'{name.upper()}_BROKER_PASSWORD']}@rabbitmq/jiesu",
            "JIESU_INDEX_KEY": secrets[f"{name.upper()}_INDEX_KEY"],
            "JIESU_CONFIG_DIR": "/config",  # a setting with a default is no secret to copy back
        }
        for name in NAMES
    }
    environments["intake"] |= {
        "JIESU_VAULT_KEYS": secrets["VAULT_KEYS"],
        "JIESU_VAULT_CURRENT": secrets["VAULT_CURRENT"],
        "JIESU_SERVICE_TOKEN": secrets["INTAKE_SERVICE_TOKEN"],
    }
    environments["feedback"] |= {
        "JIESU_SERVICE_TOKEN": secrets["SERVICE_TOKEN"],
        "JIESU_WEBHOOK_SECRET": secrets["WEBHOOK_SECRET"],
    }
    postgres = {name.upper(): secrets[f"{name.upper()}_DATABASE_PASSWORD"] for name in NAMES}
    environments["postgres"] = postgres | {
        "POSTGRES_PASSWORD": secrets["POSTGRES_PASSWORD"],
        "CONSOLE": secrets["CONSOLE_DATABASE_PASSWORD"],
    }
    return Deployed("jiesu", environments, str(compose.ROOT), VOLUMES)


def test_where_nothing_is_everything_may_be_made() -> None:
    check({}, Deployed("jiesu", {}))


@pytest.mark.parametrize("there", [True, False], ids=["containers", "volumes only"])
def test_a_lost_file_is_not_made_anew(secrets: dict[str, str], there: bool) -> None:
    found = running(secrets) if there else Deployed("jiesu", {}, volumes=VOLUMES)
    with pytest.raises(ConfigError, match="什么都没有改动 nothing was changed") as refused:
        check({}, found)
    assert ("make recover" if there else "lost-secrets.md") in str(refused.value)


def test_half_a_file_is_named_by_what_it_lacks(secrets: dict[str, str]) -> None:
    kept = [name for name in secrets if name.endswith(("DATABASE_PASSWORD", "INDEX_KEY"))]
    for name in (*kept, "POSTGRES_PASSWORD", "VAULT_KEYS", "VAULT_CURRENT", "WEBHOOK_SECRET"):
        half = {key: value for key, value in secrets.items() if key != name}
        with pytest.raises(ConfigError, match=f"lacks {name}"):
            check(half, running(secrets))
        with pytest.raises(ConfigError, match=f"lacks {name}"):
            check(half, Deployed("jiesu", {}, volumes=VOLUMES))


def test_the_file_of_another_install_is_refused(secrets: dict[str, str], tmp_path: Path) -> None:
    complete(tmp_path / "other", tmp_path / "s", tmp_path / "k")
    other = variables(tmp_path / "other")
    with pytest.raises(ConfigError, match="no key of the vault"):
        check(other, running(secrets))
    ring = json.loads(secrets["VAULT_KEYS"])
    changed = json.dumps(dict.fromkeys(ring, "b3RoZXIgYnl0ZXMgb2YgdGhpcnR5LXR3byBsZW5ndGg="))
    with pytest.raises(ConfigError, match="is not the key the containers have"):
        check(secrets | {"VAULT_KEYS": changed}, running(secrets))
    mixed = other | {"VAULT_KEYS": secrets["VAULT_KEYS"]}
    with pytest.raises(ConfigError, match="no database password"):
        check(mixed, running(secrets))


def test_keys_that_are_changed_as_written_are_let_through(secrets: dict[str, str]) -> None:
    check(secrets, running(secrets))
    ring = json.loads(secrets["VAULT_KEYS"])
    grown = secrets | {"VAULT_KEYS": json.dumps(ring | {"new": "x"}), "VAULT_CURRENT": "new"}
    check(grown, running(secrets))
    dropped = grown | {"VAULT_KEYS": json.dumps({"new": "x"})}
    check(dropped, running(grown))
    check({**secrets, "POSTGRES_PASSWORD": "changed"}, running(secrets))
    named = {name: value for name, value in secrets.items() if not name.endswith("BROKER_PASSWORD")}
    check(named, running(secrets))  # the broker's can be made again


def test_a_service_that_is_new_gets_its_secrets(secrets: dict[str, str]) -> None:
    new = NAMES[-1]
    before = {name: value for name, value in secrets.items() if not name.startswith(new.upper())}
    found = running(secrets)
    older = {name: given for name, given in found.environments.items() if name != new}
    check(before, Deployed("jiesu", older, found.folder, VOLUMES))


def test_another_folders_system_is_told_apart(secrets: dict[str, str]) -> None:
    found = running(secrets)
    with pytest.raises(ConfigError, match=r"/elsewhere.*COMPOSE_PROJECT_NAME"):
        check({}, Deployed("jiesu", found.environments, "/elsewhere", VOLUMES))


def test_what_was_lost_is_copied_back(secrets: dict[str, str]) -> None:
    """All that data and the phone system depend on; the rest is made again."""
    found = recovered({}, running(secrets))
    assert found == {name: secrets[name] for name in found}
    check(found, running(secrets))
    half = {"POSTGRES_PASSWORD": secrets["POSTGRES_PASSWORD"], "MINE": "kept"}
    assert "POSTGRES_PASSWORD" not in recovered(half, running(secrets))
    with pytest.raises(ConfigError, match="no container to copy"):
        recovered({}, Deployed("jiesu", {}, volumes=VOLUMES))


def test_tokens_are_not_made_void_by_a_new_key(tmp_path: Path) -> None:
    file, signing, public = tmp_path / ".env", tmp_path / "signing", tmp_path / "keys"
    complete(file, signing, public)
    for path in signing.iterdir():
        path.unlink()
    before = sorted(path.read_bytes() for path in public.iterdir())
    with pytest.raises(ConfigError, match="keys that sign tokens are missing"):
        complete(tmp_path / "anew", signing, public)
    assert sorted(path.read_bytes() for path in public.iterdir()) == before
    assert not (tmp_path / "anew").exists()


def test_a_key_of_the_vault_is_called_by_its_bytes(tmp_path: Path) -> None:
    for at in "ab":
        complete(tmp_path / at, tmp_path / f"s{at}", tmp_path / f"k{at}")
    rings = [json.loads(variables(tmp_path / at)["VAULT_KEYS"]) for at in "ab"]
    assert not rings[0].keys() & rings[1].keys()


def test_make_up_without_its_secrets_changes_nothing(
    secrets: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Through the command the Makefile runs before every other on containers."""
    file = tmp_path / ".env"
    project = Project("jiesu", secrets=file, home=tmp_path)
    monkeypatch.setattr(environment, "deployment", lambda: project)
    monkeypatch.setattr(deployed, "look", lambda _: running(secrets))
    monkeypatch.setattr(sys, "argv", ["make"])
    with pytest.raises(ConfigError, match="nothing was changed"):
        environment.main()
    assert not file.exists()
    monkeypatch.setattr(sys, "argv", ["make", "--recover"])
    environment.main()
    assert "copied back" in capsys.readouterr().out
    kept = variables(file)
    assert kept["VAULT_KEYS"] == secrets["VAULT_KEYS"]
    check(kept, running(secrets))


def test_the_keys_beside_it_are_its_own(secrets: dict[str, str], tmp_path: Path) -> None:
    project = Project("jiesu", home=tmp_path)
    check_beside(secrets, project)
    complete(tmp_path / "other", tmp_path / "elsewhere", tmp_path / "others")
    (tmp_path / "others/0001.pub.pem").rename(tmp_path / "keys/0001.pub.pem")
    with pytest.raises(ConfigError, match="public keys are missing or another"):
        check_beside(secrets, project)


def test_a_units_password_is_not_made_again_unasked(
    secrets: dict[str, str], tmp_path: Path
) -> None:
    """It stands in the unit's own system: a new one would cut it off without a word."""
    users = [{"name": "intake"}, {"name": "unit.HC"}]
    (tmp_path / "broker.json").write_text(json.dumps({"users": users}))
    with pytest.raises(ConfigError, match="lacks UNIT_HC_BROKER_PASSWORD"):
        check_beside(secrets, Project("jiesu", home=tmp_path))
    asked_for = secrets | {"UNIT_HC_BROKER_PASSWORD": ""}
    check_beside(asked_for, Project("jiesu", home=tmp_path))
