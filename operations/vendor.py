"""Renews what of other projects lies in this one: ``make vendor``, or ``make vendor ARGS=5.35.0``.

The package comes from the npm registry and is checked against the integrity the registry names for
that version; the same stands in ``vendored.json`` beside the files, with the SHA-256 of each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx

from shared.http.pages import FOLDER, RECORD

REGISTRY = "https://registry.npmjs.org"
PACKAGE = "swagger-ui-dist"
FILES = (
    "LICENSE",
    "NOTICE",
    "favicon-32x32.png",
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.css",
)


class NotAsPublished(Exception):
    """The package is not the one whose integrity the registry names."""


def renew(version: str, folder: Path) -> str:
    """Fetch a version (``latest``), check it, and put its files there; returns which it was."""
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        about = client.get(f"{REGISTRY}/{PACKAGE}/{version}").raise_for_status().json()
        packed = client.get(about["dist"]["tarball"]).raise_for_status().content
    check(packed, about["dist"]["integrity"])
    files = unpacked(packed)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    for path in folder.iterdir():
        if path.name not in {*files, RECORD}:
            path.unlink()  # what this version has no more
    (folder / RECORD).write_text(json.dumps(record(about, files), indent=2) + "\n", "utf-8")
    return str(about["version"])


def check(packed: bytes, integrity: str) -> None:
    """Raises NotAsPublished for anything but the bytes whose SHA-512 stands in an integrity."""
    if integrity != "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode():
        raise NotAsPublished(integrity)


def unpacked(packed: bytes) -> dict[str, bytes]:
    """The files we serve, and those that say under which licence."""
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        members = {name: archive.extractfile(f"package/{name}") for name in FILES}
        return {name: member.read() for name, member in members.items() if member}


def record(about: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """Where the files come from, and what they are."""
    return {
        "package": about["name"],
        "version": about["version"],
        "tarball": about["dist"]["tarball"],
        "integrity": about["dist"]["integrity"],
        "license": about["license"],
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }


if __name__ == "__main__":
    asked = sys.argv[1] if sys.argv[1:] else "latest"
    sys.stdout.write(f"{PACKAGE} {renew(asked, FOLDER)}\n")
