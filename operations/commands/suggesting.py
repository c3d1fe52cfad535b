"""建议 Learning which unit a text speaks for, and measuring how well. Takes the extra ``suggest``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.suggest.samples import Sample, read_samples
from shared import clock
from shared.errors import ConfigError

EXTRA = (
    "缺少可选依赖 suggest，服务照常运行，只是不能学习 the extra `suggest` is not installed: services run as "
    "ever, only nothing can be learned (uv pip install scikit-learn)"
)
Csv = typer.Option(help="CSV with a column each for title, content and unit (标题, 内容, 承办单位)")


def suggest_train(
    out: Annotated[Path, typer.Option(help="the model's file, for JIESU_SUGGEST_MODEL")],
) -> None:
    """Learn from the dispatcher's confirmed orders: completed and closed, and not returned. It prints
    what to expect of the model, measured on orders it had not seen.
    """
    learning, measuring = _library()
    samples = asyncio.run(_confirmed())
    lesson = learning.learn(samples, made_at=clock.now().isoformat())
    _write(out, lesson.file.model_dump_json())
    hits = sum(right for _, right in lesson.unseen)
    typer.echo(
        f"{out}: {lesson.file.orders} 件工单 orders, {len(lesson.file.units)} 个单位 units; "
        f"首选正确 first suggestion right {hits / len(lesson.unseen):.3f}"
    )
    for confidence in measuring.CONFIDENCES:
        sure = [right for its, right in lesson.unseen if its >= confidence]
        wrong = sure.count(False) / len(sure) if sure else 0.0
        typer.echo(_line(confidence, len(sure) / len(lesson.unseen), wrong))


def suggest_eval(
    train: Annotated[Path, Csv],
    test: Annotated[Path | None, Csv] = None,
    folds: Annotated[int, typer.Option(min=2, max=20, help="of --train, without --test")] = 5,
    seed: Annotated[int, typer.Option(help="how the folds are dealt")] = 0,
) -> None:
    """Learn from one file and ask of another, or fold by fold of one; every confidence is chosen on what
    was learned from, never on what is asked.
    """
    _, measuring = _library()
    samples = read_samples(train)
    if test:
        found = [*measuring.answers(samples, read_samples(test))]
    else:
        found = [*measuring.folded(samples, folds, seed)]
    for name, value in measuring.measured(found).items():
        typer.echo(f"{name:30} {value:.3f}")
    for confidence in measuring.CONFIDENCES:
        typer.echo(_line(confidence, *measuring.above(found, confidence)))


def _line(confidence: float, share: float, wrong: float) -> str:
    return f"把握 confidence ≥ {confidence:.2f}: 占 share {share:.3f}, 其中有误 wrong {wrong:.3f}"


def _library() -> tuple[Any, Any]:
    """What learns, where its library is installed. Raises ConfigError."""
    try:
        from operations.suggest import learning, measuring
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.partition(".")[0] in ("numpy", "scipy", "sklearn"):
            raise ConfigError(EXTRA) from None
        raise
    return learning, measuring


async def _confirmed() -> list[Sample]:
    from services.dispatcher import suggestions

    with settings_by_name(("dispatcher",), **LOOKING) as settings:
        async with opened(settings, rules=False) as stores, stores["dispatcher"].act("ops") as act:
            return [Sample(*row) for row in await suggestions.confirmed(act)]


def _write(path: Path, text: str) -> None:
    """All of it or nothing, for its owner only."""
    new = path.with_name(f".{path.name}")
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
