"""``python -m services``: the command line (operations/cli.py)."""

import sys
from types import ModuleType

# Libraries load rich where they find it, structlog for tracebacks in colour, httpx for a command of its
# own: three megabytes in every process. They find none; the command line takes it back for its help.
modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
modules["rich"] = None

from operations.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
