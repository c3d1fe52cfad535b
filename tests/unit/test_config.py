"""Reading configuration: every fault is pointed at by file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from shared.errors import ConfigError
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.reader import read
from shared.jurisdiction.sections import refuse

# --- a small file of our own to break -----------------------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dish(Strict):
    name: str
    price: int | None = None
    cooks: tuple[str, ...] = ()


class Menu(Strict):
    house: str
    dishes: tuple[Dish, ...] = ()
    sizes: dict[str, int] = Field(default_factory=dict)
    opened: object = None

    @model_validator(mode="after")
    def _cooks_are_known(self, info: ValidationInfo) -> Self:
        known = (info.context or {}).get("cooks", ())
        refuse(
            (("dishes", at, "cooks", place), f"no such cook: {{{cook}}}")
            for at, dish in enumerate(self.dishes)
            for place, cook in enumerate(dish.cooks)
            if known and cook not in known
        )
        return self


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    return tmp_path / "menu.yaml"


def faults(path: Path, model: type[BaseModel] = Menu, **context: Any) -> list[str]:
    """What reading the file says, without the path every line begins with."""
    with pytest.raises(ConfigError) as broken:
        read(path, model, context)
    return [line.removeprefix(f"{path}:") for line in str(broken.value).splitlines()]


def test_a_good_file_is_its_model(menu: Path) -> None:
    menu.write_text(
        "\ufeffhouse: 紫阳茶馆\ndishes:\n- {name: 蒸盆子, price: 88}\n", encoding="utf-8"
    )
    assert read(menu, Menu) == Menu(house="紫阳茶馆", dishes=(Dish(name="蒸盆子", price=88),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", ["1: 文件为空 the file is empty"], id="empty"),
        pytest.param("# nothing\n", ["1: 文件为空 the file is empty"], id="only comments"),
        pytest.param("- a\n", ["1: 应为键值对 must be a mapping"], id="not a mapping"),
        pytest.param(
            "\nhouse: a\nhuose: b\n",
            ["3: huose: 未知的键 unknown key；是否指 did you mean house"],
            id="unknown field",
        ),
        pytest.param(
            "house: a\ndishes:\n- name: x\n\n- price: 3\n",
            ["5: dishes.1.name: 缺少必填项 required, but missing"],
            id="missing field, the line of what lacks it",
        ),
        pytest.param(
            "house: a\ndishes:\n- name: x\n  price: dear\n",
            [
                "4: dishes.0.price: Input should be a valid integer, unable to parse string as an "
                "integer, not 'dear'"
            ],
            id="wrong type",
        ),
        pytest.param(
            "house:\n", ["1: house: Input should be a valid string, not None"], id="no value"
        ),
        pytest.param(
            "house: a\ndishes:\n  name: x\n",
            ["2: dishes: Input should be a valid tuple"],
            id="a mapping where a list belongs",
        ),
        pytest.param(
            "house: a\nsizes:\n  small: 1\n  large: 2\n  small: 3\n  small: 4\n",
            [
                "5: sizes.small: 重复的键 duplicate key, first in line 3",
                "6: sizes.small: 重复的键 duplicate key, first in line 3",
            ],
            id="duplicate key",
        ),
        pytest.param(
            "house: a\ndishes:\n- {name: x, name: y}\n",
            ["3: dishes.0.name: 重复的键 duplicate key, first in line 3"],
            id="duplicate key in one line",
        ),
        pytest.param(
            "house: a\nopened:\n- &x {s: 1, s: 2, within: *x}\n- *x\n",
            ["3: opened.0.s: 重复的键 duplicate key, first in line 3"],
            id="duplicate key under an alias, of itself even",
        ),
        pytest.param(
            "house: a\nsizes:\n  1: 1\n",
            ["3: sizes.1.[key]: Input should be a valid string, not 1"],
            id="wrong type of key",
        ),
        pytest.param(
            "house: a\ndishes: [x\nsizes: {}\n",
            ["3: YAML 语法错误 bad YAML: expected ',' or ']', but got ':'"],
            id="bad YAML",
        ),
        pytest.param(
            "house: a\n---\nhouse: b\n",
            ["2: YAML 语法错误 bad YAML: but found another document"],
            id="two documents",
        ),
        pytest.param(
            "house: a\nopened: 2026-13-45\n",
            ["2: YAML 语法错误 bad YAML: '2026-13-45' is not a value of its type"],
            id="no such date",
        ),
        pytest.param(
            "house: a\n\nopened: !!timestamp soon\n",
            ["3: YAML 语法错误 bad YAML: 'soon' is not a value of its type"],
            id="tag that does not fit",
        ),
        pytest.param(
            "house: a\nopened: !python/object:os.system x\n",
            [
                "2: YAML 语法错误 bad YAML: could not determine a constructor for the tag "
                "'!python/object:os.system'"
            ],
            id="tag we do not know",
        ),
        pytest.param(
            "house: a\nsizes:\n  ? [a]\n  : 1\n",
            ["3: YAML 语法错误 bad YAML: found unhashable key"],
            id="a list as a key",
        ),
        pytest.param(
            "house: a\n# b\x00\n",
            ["2: YAML 语法错误 bad YAML: special characters are not allowed"],
            id="control character",
        ),
    ],
)
def test_a_fault_names_line_and_field(menu: Path, text: str, said: list[str]) -> None:
    menu.write_text(text, encoding="utf-8")
    assert faults(menu) == said


def test_all_faults_are_told_at_once_in_the_order_of_the_file(menu: Path) -> None:
    menu.write_text(
        "dishes:\n- {name: x, cost: 1}\n- {name: y}\n- name: z\n  price: 1\n  price: 2\nopen: yes\n"
    )
    assert faults(menu) == [
        "1: house: 缺少必填项 required, but missing",
        "2: dishes.0.cost: 未知的键 unknown key；是否指 did you mean cooks",
        "6: dishes.2.price: 重复的键 duplicate key, first in line 5",
        "7: open: 未知的键 unknown key；是否指 did you mean opened",
    ]


def test_a_value_too_long_for_a_line_is_cut(menu: Path) -> None:
    menu.write_text(f"house: a\nsizes:\n  small: {'x' * 500}\n")
    assert len(faults(menu)[0]) < 200


def test_what_a_validator_refuses_has_its_own_line(menu: Path) -> None:
    menu.write_text(
        "house: a\ndishes:\n- name: x\n  cooks:\n  - li\n  - mao\n- name: y\n  cooks: [qi]\n"
    )
    assert faults(menu, cooks={"li"}) == [
        "6: dishes.0.cooks.1: no such cook: {mao}",
        "8: dishes.1.cooks.0: no such cook: {qi}",
    ]


def test_merged_keys_are_no_duplicates(menu: Path) -> None:
    menu.write_text("house: a\ndishes:\n- &x {name: x, price: 1}\n- {<<: *x, price: 2}\n")
    assert read(menu, Menu).dishes[1] == Dish(name="x", price=2)


def test_a_file_that_is_not_there(menu: Path) -> None:
    assert faults(menu) == [" 无法读取 cannot be read: No such file or directory"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert faults(tmp_path) == [" 无法读取 cannot be read: Is a directory"]


def test_a_file_that_is_no_text(menu: Path) -> None:
    menu.write_bytes("house: a\n# 茶".encode("gbk"))
    assert faults(menu) == ["2: YAML 语法错误 bad YAML: not UTF-8"]


# --- the code tables ----------------------------------------------------------------------------

CODES = """
areas:
- {code: "610924000", name: 全县}
- {code: "610924110", name: 红椿镇}
flags: []
channels:
- {code: phone, zh: 电话, en: Telephone}
fields:
- {code: water, zh: 供水, en: Water}
reasons: []
topics:
- {code: water.supply, zh: 停水, en: Cut off}
"""
UNITS = """
units:
- {code: ZFB, name: 县政府办, kind: office, delivery: feed, liaison: 联络员}
- {code: HC, name: 红椿镇, kind: town, area: "610924110", delivery: amqp, liaison: 主任}
"""


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "- {code: power.outage, zh: 停电, en: x}",
            "topics.1.code: power.outage 不属于任何领域 lies in no field",
        ),
        (
            "- {code: water, zh: 供水, en: x}",
            "topics.1.code: water 不属于任何领域 lies in no field",
        ),
        (
            "- {code: water.supply, zh: 断水, en: x}",
            "topics.1.code: water.supply 重复 stands here twice",
        ),
        (
            '- {code: water.pipe, zh: "", en: x}',
            "topics.1.zh: String should have at least 1 character, not ''",
        ),
        ("- {code: Water.Pipe, zh: 管, en: x}", "topics.1.code: String should match pattern"),
    ],
)
def test_a_broken_topic_is_pointed_at(menu: Path, row: str, said: str) -> None:
    menu.write_text(CODES + row, encoding="utf-8")
    [fault] = faults(menu, Codes)
    assert fault.startswith(f"13: {said}")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("code: HC, kind: office", "code: HC 重复 stands here twice"),
        ("code: XX, kind: office, parent: YY", "parent: YY 不是其他单位 is no other unit"),
        ("code: XX, kind: office, parent: XX", "parent: XX 不是其他单位 is no other unit"),
        ("code: XX, kind: town", "area: 镇且仅镇须有区域 a town, and only a town, has one"),
        ('code: XX, kind: office, area: "610924111"', "area: 镇且仅镇须有区域"),
        ("code: x.x, kind: office", "code: String should match pattern"),
        (
            "code: XX, kind: village",
            "kind: Input should be 'town', 'department', 'utility' or 'office'",
        ),
    ],
)
def test_a_broken_unit_is_pointed_at(menu: Path, row: str, said: str) -> None:
    menu.write_text(f"{UNITS}- {{{row}, name: x, delivery: feed, liaison: y}}\n", encoding="utf-8")
    [fault] = faults(menu, Units)
    assert fault.startswith(f"5: units.2.{said}")
