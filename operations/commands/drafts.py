"""改了文件而不生效的: what of an edited folder decides nothing, for versions that people published do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.commands.signing import CONFIG
from services.dispatcher.catalogue import catalogues
from services.dispatcher.settings import digest_of
from services.tracker.policies import versions
from services.tracker.policies.versions import FILES, Superseded, Texts
from shared import clock
from shared.jurisdiction.folder import Folder
from shared.storage.act import Store

PATIENCE = 15  # seconds: a tracker looks every ten
Dir = Annotated[Path, typer.Argument(envvar="JIESU_CONFIG_DIR", help="the county's folder")]


def drafts(directory: Dir = CONFIG) -> None:
    """Say what of a folder decides nothing where published versions do, and which draft it has become."""
    folder = Folder.take(directory)
    for line in asyncio.run(_lines(folder)):
        typer.echo(line)


async def _lines(folder: Folder) -> list[str]:
    files = {name: text.decode("utf-8-sig") for name, text in folder.files.items()}
    with settings_by_name(("dispatcher", "tracker"), **LOOKING) as settings:
        async with opened(settings, rules=False) as stores:
            async with stores["dispatcher"].act("ops") as act:
                version = await catalogues.differing(act, digest_of(files["catalogue.yaml"]))
            policy = await drafted(stores["tracker"], Texts(*(files[name] for name in FILES)))
    return list(said(version, policy))


async def drafted(store: Store[Any], texts: Texts, patience: float = PATIENCE) -> Superseded | None:
    """What decides instead of these files; waits a little for a tracker to make a draft of them."""
    until = clock.real().timestamp() + patience
    while True:
        async with store.act("ops") as act:
            found = await versions.superseded(act, texts.digest)
        if found is None or found.draft or clock.real().timestamp() >= until:
            return found
        await clock.pause(0.5)


def said(catalogue: int | None, policy: Superseded | None) -> Iterator[str]:
    """What an operator reads; nothing where the folder decides, or says what does."""
    if catalogue:
        yield (
            f"派单目录以已发布的第{catalogue}版为准，catalogue.yaml 与之不同，不起作用；文件改动后存为草稿 "
            f"version {catalogue} of the catalogue decides, and catalogue.yaml, which differs from it, does "
            "not; an edited file becomes a draft: GET /v1/catalogue/drafts"
        )
    if policy:
        yield (
            f"时限规则以已发布的第{policy.version}版为准，limits.yaml、supervision.yaml 与之不同，不起作用 "
            f"version {policy.version} of the policy decides, and these files, which differ from it, do not"
        )
    if policy and policy.draft:
        yield (
            f"改动已存为草稿 {policy.draft}，由督办员核对后发布 they are this draft now, for a supervisor to "
            f"publish: POST /v1/policies/drafts/{policy.draft}/publication"
        )
    elif policy:
        yield "督办服务运行后存为草稿 they become a draft once a tracker runs: GET /v1/policies/drafts"
