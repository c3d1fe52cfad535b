"""证据包: what is done to a copy of a proof pack, fifty lines of Python name (gain 11)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from examples import verify_proof
from operations.proof import pack
from operations.proof.pack import Entry, Kind, Said
from tests.fixtures.source import PROJECT

SCRIPT = PROJECT / "examples/verify_proof.py"
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(letter * 32) for letter in (b"k", b"o"))
PUBLISHED, PDF = pack.public(KEY), b"%PDF-1.7 printed"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd"
        "25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c3"
        "87b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594"
        "a7c15e9716ed28dc027beceea1ec40a",
    ),
]
Copy = dict[str, Any]


def said(no: int) -> Said:
    return Said(
        kind=Kind.ACT if no else Kind.HEAD,
        service="intake",
        name=f"fact.{no}",
        at=NOON + timedelta(minutes=no),
        recorded=NOON + timedelta(minutes=no),
        data={"content": f"第{no}句“话”\n", "share": 0.1, "none": None},
    )


def made(count: int = 9, key: Ed25519PrivateKey = KEY) -> bytes:
    """A pack as it is written."""
    signed = pack.sealed(
        "20260302-000001", pack.chained(list(map(said, range(count)))), PDF, key, "k"
    )
    return pack.written(pack.plain(signed))


def rechained(copy: Copy) -> None:
    """What who tampers can do: number and chain all entries anew."""
    bare = [
        Said(**{name: value for name, value in entry.items() if name not in pack.LINK})
        for entry in copy["entries"]
    ]
    copy["entries"] = [pack.plain(entry) for entry in pack.chained(bare)]


def change(copy: Copy) -> None:
    copy["entries"][4]["data"]["content"] = "另一句话"


def add_field(copy: Copy) -> None:
    copy["entries"][4]["note"] = "x"


def drop_field(copy: Copy) -> None:
    del copy["entries"][4]["data"]["share"]


def remove(copy: Copy) -> None:
    del copy["entries"][4]


def remove_last(copy: Copy) -> None:
    del copy["entries"][-1]


def add(copy: Copy) -> None:
    copy["entries"].insert(4, copy["entries"][4] | {"name": "fact.new"})


def append(copy: Copy) -> None:
    copy["entries"].append(copy["entries"][-1] | {"name": "fact.new"})


def move(copy: Copy) -> None:
    entries = copy["entries"]
    entries[4], entries[5] = entries[5], entries[4]


def repeat(copy: Copy) -> None:
    copy["entries"].append(copy["entries"][2])


def change_head(copy: Copy) -> None:
    copy["entries"][0]["data"]["content"] = "另一个事由"


def change_hash(copy: Copy) -> None:
    copy["entries"][4]["hash"] = "0" * 64


def drop_hash(copy: Copy) -> None:
    del copy["entries"][4]["hash"]


def renumber(copy: Copy) -> None:
    copy["entries"][4]["no"] = 5


def change_seal(copy: Copy) -> None:
    copy["seal"]["pdf"] = "0" * 64


def change_signature(copy: Copy) -> None:
    copy["signature"] = ("1" if copy["signature"][0] == "0" else "0") + copy["signature"][1:]


def add_beside(copy: Copy) -> None:
    copy["remark"] = "x"


TAMPERED: dict[Callable[[Copy], None], str] = {
    change: "entry 4 被改 was changed",
    add_field: "entry 4 被改 was changed",
    drop_field: "entry 4 被改 was changed",
    remove: "entry 4 被抽走 was removed",
    remove_last: "entry 8 被抽走 was removed",
    add: "entry 4 是添加的 was added",
    append: "entry 9 是添加的 was added",
    move: "entry 4 换了位置或重复 was moved or repeated",
    repeat: "entry 9 换了位置或重复 was moved or repeated",
    change_head: "entry 0 被改 was changed",
    change_hash: "entry 4: 链断 the chain is broken",
    drop_hash: "entry 4: 链断 the chain is broken",
    renumber: "entry 4: 链断 the chain is broken",
    change_seal: "the seal: not signed",
    change_signature: "the seal: not signed",
    add_beside: "file: 被改写 written anew",
}


def found(raw: bytes, key: str = PUBLISHED, pdf: bytes | None = None) -> str:
    return verify_proof.fault(raw, key, pdf)


@pytest.mark.parametrize(
    ("tamper", "place"), TAMPERED.items(), ids=lambda it: getattr(it, "__name__", "")
)
def test_what_was_done_to_a_copy_is_named(tamper: Callable[[Copy], None], place: str) -> None:
    """Gain 11."""
    copy = json.loads(made())
    tamper(copy)
    named = found(pack.written(copy)).replace(
        "封签 seal: 不是这把密钥所签，或签后被改 not", "the seal: not"
    )
    assert place in named


CONTENT = [
    tamper for tamper, place in TAMPERED.items() if "was" in place and tamper is not add_field
]


@pytest.mark.parametrize("tamper", CONTENT, ids=lambda it: it.__name__)
def test_and_who_chains_it_anew_gains_nothing(tamper: Callable[[Copy], None]) -> None:
    copy = json.loads(made())
    tamper(copy)
    rechained(copy)
    assert TAMPERED[tamper] in found(pack.written(copy))


def test_who_signs_it_anew_has_another_key() -> None:
    assert found(made(key=OTHER), pack.public(OTHER)) == ""
    assert found(made(key=OTHER)).startswith("封签 seal")
    copy = json.loads(made(key=OTHER))
    copy["seal"]["key"] = PUBLISHED
    assert found(pack.written(copy)).startswith("封签 seal")


def test_a_field_that_stands_twice_and_another_layout_are_seen() -> None:
    raw = made()
    assert found(raw) == ""
    twice = raw.replace(b'"name": "fact.4",', b'"name": "fact.x",\n   "name": "fact.4",')
    assert found(twice) == "文件 file: 被改写 written anew"
    assert found(raw + b"\n") == "文件 file: 被改写 written anew"


def test_the_printed_pack_is_the_one_that_was_signed() -> None:
    assert found(made(), pdf=PDF) == ""
    assert found(made(), pdf=PDF + b" ") == "PDF: 被改 was changed"


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_it_verifies_as_rfc_8032_says(key: str, message: str, signature: str) -> None:
    public, about, by = map(bytes.fromhex, (key, message, signature))
    assert verify_proof.signed(public, about, by)
    assert not verify_proof.signed(public, about + b"x", by)
    assert not verify_proof.signed(public, about, bytes([by[0] ^ 1]) + by[1:])
    assert not verify_proof.signed(public, about, by[:-1] + bytes([by[-1] ^ 1]))
    assert not verify_proof.signed(bytes([public[0] ^ 1]) + public[1:], about, by)
    greater = (int.from_bytes(by[32:], "little") + verify_proof.Q).to_bytes(32, "little")
    assert not verify_proof.signed(public, about, by[:32] + greater)


def test_it_is_fifty_lines_and_needs_only_python(tmp_path: Path) -> None:
    text = SCRIPT.read_text("utf-8")
    assert len(text.splitlines()) <= 50
    imports = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {
        each.module if isinstance(each, ast.ImportFrom) else each.names[0].name for each in imports
    }
    assert names <= sys.stdlib_module_names
    copy, printed = tmp_path / "pack.json", tmp_path / "pack.pdf"
    printed.write_bytes(PDF)
    for raw, code in ((made(), 0), (made().replace("第3句".encode(), "第9句".encode()), 1)):
        copy.write_bytes(raw)
        words = [sys.executable, "-I", "-S", str(SCRIPT), str(copy), PUBLISHED, str(printed)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == code, done.stderr
    assert "第 3 条 entry 3 被改 was changed" in done.stderr


def test_a_pack_is_what_its_schema_says() -> None:
    signed = pack.Pack.model_validate_json(made())
    assert [entry.no for entry in signed.entries] == list(range(9))
    assert isinstance(signed.entries[0], Entry)
    assert pack.written(pack.plain(signed)) == made()
