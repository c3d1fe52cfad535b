"""Makes a migration: what a service's models say and its newest schema does not, as a new file."""

from __future__ import annotations

import re
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from shared.errors import ConfigError
from shared.part import Part
from shared.storage.engine import open_engine
from shared.storage.migrations import migrate

NAME = re.compile(r"[a-z][a-z0-9_]*")
# What a rendered migration may name, beside sa and op. Alembic forgets the last of its own.
IMPORTS = {
    "create_live_index(": "from shared.storage.migrations import create_live_index",
    "divide_by_month(": "from shared.storage.by_month import divide_by_month, undivide",
    "postgresql.": "from sqlalchemy.dialects import postgresql",
    "sqlmodel.": "import sqlmodel",
}
# A first migration makes fact log and inbox whole, with the keys a month has, and divides them.
MONTHS = ",\n    postgresql_partition_by='RANGE (fact)'"
WHOLE = "sa.UniqueConstraint('fact', name=op.f('uq_outbox_fact'))"
KEYS = f"""sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('position', name=op.f('uq_outbox_position')),
    {WHOLE}"""
TEMPLATE = '''"""{title}"""

import sqlalchemy as sa
{imports}

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
{upgrade}


def downgrade() -> None:
    """Back to the schema before."""
{downgrade}
'''


async def make(part: Part, url: str, name: str) -> tuple[Path, bool]:
    """Write a service's next migration, going by an empty database that is brought to its newest
    schema first; answers the file, and whether models and schema differed. Raises ConfigError.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"NAME={name}: 小写字母、数字与下划线 lower case letters, digits, underscores: add_language"
        )
    await migrate(url, part.migrations)
    engine = open_engine(url, 1)
    async with engine.connect() as connection:
        script = await connection.run_sync(difference, part.base.metadata)
    await engine.dispose()
    versions = part.migrations / "versions"
    versions.mkdir(exist_ok=True)
    numbers = sorted(path.stem.partition("_")[0] for path in versions.glob("[0-9]*.py"))
    path = versions / f"{int(numbers[-1] if numbers else 0) + 1:04}_{name}.py"
    path.write_text(rendered(script, path, numbers[-1] if numbers else None), encoding="utf-8")
    return path, bool(script.upgrade_ops and script.upgrade_ops.ops)


def difference(connection: Connection, metadata: MetaData) -> MigrationScript:
    """What leads from a database to the models."""
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return produce_migrations(context, metadata)


def rendered(script: MigrationScript, path: Path, before: str | None) -> str:
    """The text of a migration's file, whose name begins with its revision."""
    revision, _, name = path.stem.partition("_")
    upgrade, downgrade = _body(script.upgrade_ops), _body(script.downgrade_ops)
    if MONTHS in upgrade:
        upgrade = f"{upgrade.replace(MONTHS, '').replace(WHOLE, KEYS)}\n    divide_by_month()"
        downgrade = f"    undivide()\n{downgrade}"
    used = [line for word, line in IMPORTS.items() if word in upgrade + downgrade]
    return TEMPLATE.format(
        title=f"{name.replace('_', ' ').capitalize()}.",
        imports="\n".join(sorted([*used, "from alembic import op"], key=_isort)),
        revision=revision,
        before=f'"{before}"' if before else None,
        upgrade=upgrade,
        downgrade=downgrade,
    )


def _body(operations: UpgradeOps | DowngradeOps | None) -> str:
    """What a function does, without what alembic says of itself; `make fmt` lays it out. An index is
    built beside those who use its table.
    """
    context = MigrationContext.configure(dialect_name="postgresql")  # how to write its own types
    code = "    pass"
    if operations:
        code = f"    {render_python_code(operations, migration_context=context)}"
    code = code.replace("op.create_index(", "create_live_index(")
    return "\n".join(line for line in code.splitlines() if "# ###" not in line)


def _isort(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line
