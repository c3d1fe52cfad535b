"""机构改革 as people type it: proposed by one, approved by another, and what would move."""

from __future__ import annotations

from pathlib import Path

from shared.security.tokens import issue
from tests.fixtures.bench import Bench
from tests.fixtures.commands import Printed, command
from tests.fixtures.scenes.dispatcher import register
from tests.fixtures.scenes.reform import BASIS, NEW, OLD, followed, one

MERGE = ("merge", OLD, "--into", NEW, "--from", "2099-01-01", "--reason", BASIS)


async def units(
    bench: Bench, folder: Path, *words: str, who: str | None = None, role: str = "desk"
) -> Printed:
    """``python -m services units …`` on the bench's database, with somebody's token."""
    keys = bench.service.settings.token_keys
    return await command(
        *("units", *words),
        JIESU_DATABASE_URL=bench.service.settings.database_url,
        JIESU_CONFIG_DIR=str(folder),
        JIESU_TOKEN_KEYS=str(keys),
        **({"JIESU_TOKEN": issue(keys, role, who, days=1)} if who else {}),
    )


async def test_a_merger_from_the_shell(dispatcher: Bench, tmp_path: Path) -> None:
    folder = followed(tmp_path, **{OLD: [NEW]})
    await register(dispatcher)
    tried = await units(dispatcher, folder, *MERGE, "--dry-run")
    assert (tried.code, tried.err) == (0, "")
    assert f"1 件 orders → {NEW}" in tried.out
    assert (await units(dispatcher, folder, "list")).out == ""
    said = await units(dispatcher, folder, *MERGE, who="李")
    assert said.code == 0, said.err
    reform = said.out.split()[0]
    own = await units(dispatcher, folder, "approve", reform, who="李", role="supervisor")
    assert (own.code, own.err.count("\n")) == (2, 1)
    assert "另一人批准" in own.err
    approved = await units(dispatcher, folder, "approve", reform, who="王")
    assert (approved.code, "approved" in approved.out) == (0, True)
    dispatcher.at("2099-01-01T00:00+08:00")
    await dispatcher.run("carry_out_reforms")
    assert (await one(dispatcher))["unit"] == NEW
    shown = await units(dispatcher, folder, "show", reform)
    assert "done" in shown.out


async def test_nobody_is_believed_a_name_at_the_shell(dispatcher: Bench, tmp_path: Path) -> None:
    """R-03, 双人: who proposes and who approves prove it, or one person could be both."""
    folder = followed(tmp_path, **{OLD: [NEW]})
    nobody = await units(dispatcher, folder, *MERGE)
    assert (nobody.code, "JIESU_TOKEN" in nobody.err) == (2, True)
    said = await units(dispatcher, folder, *MERGE, who="李")
    reform = said.out.split()[0]
    typed = await units(dispatcher, folder, "approve", reform, "--by", "王", who="王")
    assert typed.code == 2
    for token in ("nonsense", issue(dispatcher.service.settings.token_keys, "agent", "王")):
        file = tmp_path / "token"
        file.write_text(token)
        refused = await units(dispatcher, folder, "approve", reform, "--token-file", str(file))
        assert (refused.code, refused.err.count("\n")) == (2, 1)
    [row] = await dispatcher.rows("SELECT proposed_by, approved_at FROM reforms")
    assert (row["proposed_by"], row["approved_at"]) == ("desk:李", None)
    file.write_text(issue(dispatcher.service.settings.token_keys, "supervisor", "王"))
    done = await units(dispatcher, folder, "approve", reform, "--token-file", str(file))
    assert done.code == 0, done.err


async def test_what_cannot_be_is_one_line(dispatcher: Bench, tmp_path: Path) -> None:
    folder = followed(tmp_path, **{OLD: [NEW]})
    wrong = await units(
        dispatcher, folder, *("CG" if word == NEW else word for word in MERGE), who="李"
    )
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "units.yaml" in wrong.err
    split = ("split", OLD, "--part", f"{NEW}:lighting", *MERGE[4:])
    without = await units(dispatcher, folder, *split, who="李")
    assert (without.code, without.err.count("\n"), "remainder" in without.err) == (2, 1, True)


async def test_check_config_names_the_rules_of_a_unit_that_is_no_more(tmp_path: Path) -> None:
    said = await command("check-config", str(followed(tmp_path, **{OLD: [NEW]})))
    assert said.code == 0
    assert f"lighting-in-county-town: {OLD}" in said.err
