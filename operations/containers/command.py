"""How our commands end: a broken promise, or trouble with Docker, is one clear line, exit code 1;
what cannot be done as it was asked for is one line too, and exit code 2.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from examples.connection import Refused, Unreachable
from examples.scene import BrokenPromise
from examples.stepper import NotIdle
from operations.containers.compose import ComposeTrouble
from shared.errors import ConfigError


def command(run: Callable[[], int]) -> None:
    """Run a command and exit with its code; a stop by signal still takes a trial's project down."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = run()
    except ConfigError as wrong:
        print(wrong, file=sys.stderr)
        code = 2
    except ComposeTrouble as trouble:
        sys.exit(str(trouble))
    except (BrokenPromise, NotIdle, Refused, Unreachable) as broken:
        sys.exit(f"失信 broken: {type(broken).__name__}: {broken}")
    except FileNotFoundError as missing:
        if missing.filename != "docker":
            raise
        sys.exit("没有 docker 命令 there is no command docker: install Docker with Compose v2")
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
