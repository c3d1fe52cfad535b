"""Learning suggestions as people type it: from the dispatcher's orders, with the library and without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.dispatcher.rules.suggesting import Model
from services.dispatcher.settings import Settings
from shared.errors import ConfigError
from shared.events import ClosingKind, TicketClosed
from tests.fixtures.bench import Bench
from tests.fixtures.commands import command
from tests.fixtures.scenes.dispatcher import (
    DONE,
    act,
    assignments,
    post,
    reach,
    register,
    sign,
    street_light,
)
from tests.fixtures.source import PROJECT
from tests.fixtures.suggesting import file_of

WITHOUT = """
import sys
sys.modules["sklearn"] = None
sys.argv = ["services", "dispatcher", "suggest-eval", "--train", "orders.csv"]
from operations.cli import main
main()"""
MATTERS = {"GDJ": ("停电", "村里停电两天，请送电"), "GSGS": ("停水", "街道停水三天，请供水")}
EACH = 6


async def done(bench: Bench, number: str, unit: str) -> None:
    """A ticket the desk gave to a unit, which completed it; its citizen agrees."""
    title, content = MATTERS[unit]
    await register(bench, street_light(topic="other.unclear", title=title, content=content), number)
    body = {"lead": unit, "reason": "职责所在"}
    await post(bench.http("desk"), f"/v1/tickets/{number}/assign", body)
    given = await assignments(bench, number)
    await sign(bench, unit, given[unit])
    await reach(bench, unit, given[unit])
    answer = DONE | {"public_answer": f"{title}已处理，已恢复正常"}
    await act(bench, unit, given[unit], "completion", answer)
    await bench.hear(bench.fact(TicketClosed(kind=ClosingKind.SATISFIED), subject=number))


async def test_a_model_is_learned_from_confirmed_orders_and_read_by_the_service(
    dispatcher: Bench, tmp_path: Path
) -> None:
    for at in range(EACH):
        for place, unit in enumerate(MATTERS):
            await done(dispatcher, f"20260302-{at * 2 + place + 1:06}", unit)
    out = tmp_path / "suggestions.model"
    said = await command(
        *("dispatcher", "suggest-train", "--out", str(out)),
        JIESU_DATABASE_URL=dispatcher.service.settings.database_url,
    )
    assert (said.code, said.err) == (0, "")
    assert f"{2 * EACH} 件工单 orders, 2 个单位 units" in said.out
    assert out.stat().st_mode & 0o077 == 0
    model = Settings(embedded=True, suggest_model=out).load().model
    assert model
    assert model.suggest("停电", "又停电了")[0].unit == "GDJ"


def test_without_the_library_one_line_says_so(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "the extra `suggest` is not installed" in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_model_that_does_not_check_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "suggestions.model"
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings(embedded=True, suggest_model=path).load()
    whole = file_of().model_dump_json().encode()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"suggestions\.model"):
        Settings(embedded=True, suggest_model=path).load()
    path.write_bytes(whole)
    assert isinstance(Settings(embedded=True, suggest_model=path).load().model, Model)
