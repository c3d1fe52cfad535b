"""``make`` in a folder whose .venv fits no longer: it is made again, and nothing else is touched.

Python and uv are scripts here: what they are asked is the Makefile's and setup.sh's own doing.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.bench import ROOT

PYTHON = """#!/bin/sh
case "$*" in
    "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *"pip install"*) printf '#!/bin/sh\\n' > .venv/bin/uv; chmod +x .venv/bin/uv ;;
    "-c import uv") [ -x .venv/bin/uv ] ;;
esac
"""
MADE = "正在创建 making .venv"
WHY = "重新创建 .venv：不能确定它建于此处，或其 Python 已不在 .venv is made again: nothing says"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with the Makefile and what it makes .venv of."""

    folder: Path
    python: Path

    def make(self) -> str:
        """What is said when somebody runs it."""
        done = subprocess.run(
            ["make", "run", f"PYTHON={self.python}"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr

    def copied(self, to: Path) -> Checkout:
        """The same folder at another place."""
        return Checkout(shutil.copytree(self.folder, to, symlinks=True), self.python)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout with data in it, and a .venv made a moment ago."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    folder = tmp_path / "checkout"
    (folder / "var").mkdir(parents=True)
    (folder / "var" / "kept").write_text("data")
    for name in ("Makefile", "setup.sh", "requirements.lock"):
        shutil.copy2(ROOT / name, folder)
    made = Checkout(folder, python)
    said = made.make()
    assert MADE in said
    assert WHY not in said
    return made


def test_what_fits_is_left_alone(checkout: Checkout) -> None:
    assert checkout.make() == ""


def test_an_environment_of_another_folder_is_made_again(checkout: Checkout, tmp_path: Path) -> None:
    copy = checkout.copied(tmp_path / "copy")
    said = copy.make()
    assert said.startswith(WHY)
    assert MADE in said
    assert copy.make() == checkout.make() == ""
    assert (copy.folder / "var" / "kept").read_text() == "data"


@pytest.mark.parametrize("left", ["no interpreter", "another version's"])
def test_an_environment_whose_python_has_gone_is_made_again(checkout: Checkout, left: str) -> None:
    python = checkout.folder / ".venv/bin/python"
    python.unlink()
    if left == "no interpreter":
        python.symlink_to("/no/such/python")
    else:  # which looks for packages in a folder of its own, and finds none
        python.write_text("#!/bin/sh\nexit 1\n")
        python.chmod(0o755)
    said = checkout.make()
    assert said.startswith(WHY)
    assert MADE in said
    assert checkout.make() == ""


def test_what_was_cut_off_goes_on_where_it_stood(checkout: Checkout) -> None:
    (checkout.folder / ".venv/ready").unlink()
    said = checkout.make()
    assert "正在安装依赖" in said
    assert MADE not in said
