"""import-codes: a city's tree as it hands it out becomes codes.yaml, and nothing of it is lost unsaid."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.code_tree import read_tree, written
from shared.errors import ConfigError
from shared.jurisdiction.codes import Codes
from shared.jurisdiction.reader import Text, read
from tests.fixtures.commands import typed
from tests.fixtures.policy import CONFIG

PATHS = "一级分类,二级分类,三级分类\n城乡建设,供水,停水\n城乡建设,供水,其他\n城乡建设,规划,其他\n"
NUMBERS = "编码,名称,上级代码,别名\n030101,停水,0301,没水；水停了\n0301,供水,03,\n03,城乡建设,,\n"


def imported(raw: bytes, folder: Path, *words: str) -> tuple[Codes, str]:
    """The tables of a copy of the county after an import, and what was printed."""
    into, file = folder / "county", folder / "tree.csv"
    shutil.copytree(CONFIG, into, dirs_exist_ok=True)
    file.write_bytes(raw)
    done = typed("import-codes", str(file), "--into", str(into), *words)
    assert done.code in (0, 2), done
    return read(into / "codes.yaml", Codes), done.out + done.err


def test_a_tree_of_paths_is_added_to_what_is_there(tmp_path: Path) -> None:
    before = read(CONFIG / "codes.yaml", Codes)
    codes, said = imported(PATHS.encode(), tmp_path)
    assert codes.lineage("城乡建设/供水/停水") == (
        "城乡建设",
        "城乡建设/供水",
        "城乡建设/供水/停水",
    )
    assert codes.topics[: len(before.topics)] == before.topics
    assert len(codes.topics) == len(before.topics) + 3
    assert "“其他”有2项同名" in said
    assert "城乡建设/规划/其他" in said  # no rule covers it
    assert codes.topic_names.codes("规划其他") == ["城乡建设/规划/其他"]
    kept = (tmp_path / "county" / "codes.yaml~").read_bytes()
    assert kept == (CONFIG / "codes.yaml").read_bytes()


def test_what_the_file_says_beside_stays(tmp_path: Path) -> None:
    imported(PATHS.encode(), tmp_path)
    text = (tmp_path / "county" / "codes.yaml").read_text(encoding="utf-8")
    for line in (CONFIG / "codes.yaml").read_text(encoding="utf-8").splitlines():
        assert line in text


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    first, _ = imported(PATHS.encode(), tmp_path)
    done = typed("import-codes", str(tmp_path / "tree.csv"), "--into", str(tmp_path / "county"))
    assert "topics: 写入 written 0，已有 there already 3" in done.out
    assert read(tmp_path / "county" / "codes.yaml", Codes) == first


def test_numbers_lie_under_their_parents_whatever_the_order(tmp_path: Path) -> None:
    codes, _ = imported(NUMBERS.encode("gb18030"), tmp_path)
    assert codes.lineage("030101") == ("03", "0301", "030101")
    assert codes.topic_names.codes("水停了") == ["030101"]


def test_instead_of_what_was_there_names_what_must_follow(tmp_path: Path) -> None:
    codes, said = imported(PATHS.encode(), tmp_path, "--replace")
    assert len(codes.topics) == 3
    assert "catalogue.yaml" in said  # its rules name topics that are gone


def test_a_citys_whole_tree_comes_in_by_one_command(tmp_path: Path) -> None:
    """Five hundred leaves in three levels, Chinese names, no codes and no English; and what of them no
    rule covers (R-03).
    """
    rows = [f"大类{at // 50},中类{at // 10},小类{at}" for at in range(500)]
    codes, said = imported("\n".join(["一级,二级,三级", *rows]).encode(), tmp_path)
    assert "topics: 写入 written 500" in said
    assert "派单目录未覆盖，将转人工 no rule names them, they go to the desk: 50" in said
    assert len(codes.lineage("大类9/中类49/小类499")) == 3
    assert codes.topic_names.codes("小类499") == ["大类9/中类49/小类499"]


def test_areas_are_taken_too(tmp_path: Path) -> None:
    raw = "区划代码,名称\n610924100001,河滨社区\n610924,紫阳县\n"
    codes, said = imported(raw.encode(), tmp_path, "--table", "areas")
    assert codes.area_names.codes("城关镇河滨社区") == ["610924100001"]
    assert "规则无误" in said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("城乡建设,,停水\n", "第2行须至少两级且中间不空"),
        ("城乡建设\n", "第2行须至少两级"),
        ("城乡建设,供水,停水\n城乡建设,供水,停水\n", "第3行重复，首见第2行"),
    ],
)
def test_what_cannot_be_taken_is_named_by_its_line(rows: str, said: str) -> None:
    tree = read_tree(f"一,二,三\n{rows}".encode(), "topics")
    assert any(said in row for row in tree.left)


def test_what_is_left_of_a_table_of_codes_is_named() -> None:
    raw = "code,name,parent\n01,供水,\n0101,停水,01\n0201,停电,02\n,无,01\n09,空,\n"
    tree = read_tree(raw.encode(), "topics")
    assert [row[:3] for row in tree.left] == ["第5行", "第4行"]
    assert list(tree.fields) == ["01", "09"]
    assert len(tree.doubtful) == 1


@pytest.mark.parametrize(
    ("raw", "table"),
    [(b"", "topics"), (b"\xff\xff", "topics"), ("名称\n城关镇\n".encode(), "areas")],
)
def test_what_is_no_table_is_refused(raw: bytes, table: str) -> None:
    with pytest.raises(ConfigError):
        read_tree(raw, "areas" if table == "areas" else "topics")


NAMES = st.text("供水电热路.1a /:{}#'\"-", min_size=1, max_size=6).filter(lambda name: name.strip())


@given(st.lists(st.lists(NAMES, min_size=2, max_size=5), min_size=1, max_size=8))
def test_whatever_the_names_what_is_written_is_read_again(rows: list[list[str]]) -> None:
    lines = (",".join('"' + name.replace('"', '""') + '"' for name in row) for row in rows)
    tree = read_tree("\n".join(["级别", *lines]).encode(), "topics")
    empty = "areas: []\nflags: []\nchannels: []\nfields: []\ntopics: []\nreasons: []\n"
    text = written(empty, "fields", tree.fields.values(), replace=False)
    text = written(text, "topics", tree.leaves.values(), replace=False)
    found = Text("codes.yaml", text.encode())
    codes = found.model(Codes)
    assert found.faults == []
    assert codes
    assert [topic.code for topic in codes.topics] == list(tree.leaves)
    assert len(tree.leaves) + len(tree.left) == len(rows)
