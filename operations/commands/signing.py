"""Signing: tokens, and the key pairs they are signed with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rapidfuzz import process

from operations.runtime.postgres import default_home
from shared.errors import ConfigError
from shared.jurisdiction.codes import Units
from shared.jurisdiction.reader import read
from shared.security.tokens import ROLES, issue, make_key

KEYS = default_home() / "keys"
Keys = Annotated[Path, typer.Option(envvar="JIESU_TOKEN_KEYS", help="folder of the key pairs")]
Config = Annotated[Path, typer.Option(envvar="JIESU_CONFIG_DIR", help="folder of units.yaml")]
CONFIG = Path("config/ziyang")
KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")  # as the services read it
MOST_DAYS = 36_500


def token(
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    unit: Annotated[str | None, typer.Option(help="unit code, for role unit")] = None,
    name: Annotated[str, typer.Option(help="who it is for, as facts will name them")] = "api",
    days: float = 365,
    keys: Keys = KEYS,
    config: Config = CONFIG,
) -> None:
    """Issue a signed token."""
    if not 0 < days <= MOST_DAYS:
        raise ConfigError(f"--days: 须大于 0、至多 above 0 and at most {MOST_DAYS}")
    if unit is not None:
        check_unit(unit, config)
    try:
        typer.echo(issue(keys, role, name, unit, days))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def check_unit(code: str, config: Path) -> None:
    """Raises ConfigError, naming the nearest, when no unit has this code."""
    units = read(config / "units.yaml", Units)
    if units.unit(code):
        return
    names = {known.code: f"{known.code} {known.name}" for known in units.units}
    # By code or by name: who types a name wants its code.
    _, _, nearest = process.extract(code.upper(), names, limit=1)[0]
    raise ConfigError(
        f"{code}: units.yaml 中没有这个单位 no such unit; 最接近的是 the nearest is {names[nearest]}"
    )


def key(
    kid: Annotated[str, typer.Argument(help="id of the new key, such as 2027a")],
    keys: Keys = KEYS,
) -> None:
    """Make a key pair that signs tokens; running services read its public half when first asked."""
    if not KEY_ID.fullmatch(kid):
        raise ConfigError(
            f"{kid!r}: 编号只能用字母、数字和 - an id is letters, digits and -, such as 2027a"
        )
    try:
        make_key(keys, kid)
    except FileExistsError:
        raise ConfigError(
            f"{keys / kid}.key.pem 已存在，请另取编号 exists: choose another id"
        ) from None
    typer.echo(keys / f"{kid}.pub.pem")
