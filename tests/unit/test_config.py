"""Reading configuration: every fault is pointed at by file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from shared.errors import ConfigError
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.reader import LARGEST, read
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
            ["4: dishes.0.price: 应为整数 must be an integer, not 'dear'"],
            id="wrong type",
        ),
        pytest.param("house:\n", ["1: house: 没有值 no value"], id="no value"),
        pytest.param(
            "house: a\ndishes:\n  name: x\n",
            ["2: dishes: 应为列表 must be a list"],
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
            "house: a\nopened:\n- &x {s: 1, within: *x}\n- *x\n",
            ["3: 不支持锚点与别名，请写全 an anchor or alias: write it out"],
            id="an anchor, of itself even",
        ),
        pytest.param(
            "house: a\ndishes:\n- {<<: {price: 1}, name: x}\n",
            ["3: dishes.0.<<: 未知的键 unknown key；可用 allowed: cooks, name, price"],
            id="merged keys",
        ),
        pytest.param(
            "house: a\nsizes:\n  1: one\n",
            ["3: sizes.1: 应为整数 must be an integer, not 'one'"],
            id="a key is text",
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
            "house: a\n\nopened: !!timestamp soon\n",
            ["3: 标签或键不是文字 a tag, or a key that is no text"],
            id="tag of a type",
        ),
        pytest.param(
            "house: a\nopened: !python/object:os.system x\n",
            ["2: 标签或键不是文字 a tag, or a key that is no text"],
            id="tag of code",
        ),
        pytest.param(
            "house: a\nsizes:\n  ? [a]\n  : 1\n",
            ["3: 标签或键不是文字 a tag, or a key that is no text"],
            id="a list as a key",
        ),
        pytest.param(
            "house: a\ndishes:\n- {name: x\u200b}\n",
            ["3: dishes.0.name: 含不可见字符 an invisible character: U+200B"],
            id="what nobody sees",
        ),
        pytest.param(
            'house: "\\ud800"\n',
            ["1: house: 含不可见字符 an invisible character: U+D800"],
            id="half a character",
        ),
        pytest.param(
            f"house: a\nopened: {'[' * 5_000}{']' * 5_000}\n",
            ["2: 嵌套过深 deeper than 20 levels"],
            id="too deep",
        ),
        pytest.param(
            "house: a\n\tsizes: {}\n",
            ["2: YAML 语法错误 bad YAML: found character '\\t' that cannot start any token"],
            id="a tab",
        ),
        pytest.param(
            f"house: {'x' * (LARGEST + 1)}\n",
            [f" 文件过大 larger than {LARGEST} bytes"],
            id="too large",
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


@pytest.mark.parametrize("text", ["no", "010", "12:30", "1_000", "0x1F", "1e3", "2026-03-02", "on"])
def test_what_looks_like_text_is_text(menu: Path, text: str) -> None:
    menu.write_text(f"house: {text}\n")
    assert read(menu, Menu).house == text


@pytest.mark.parametrize("text", ["3", "3.5", "true", "false", "-1"])
def test_a_number_is_no_text(menu: Path, text: str) -> None:
    menu.write_text(f"house: {text}\n")
    assert faults(menu)[0].startswith("1: house: 应为文本 must be a string")


@pytest.mark.parametrize("text", ["'3'", "010", "3.0", "yes", "true", "1_0", "9" * 5_000])
def test_other_things_are_no_whole_number(menu: Path, text: str) -> None:
    menu.write_text(f"house: a\nsizes: {{small: {text}}}\n")
    assert faults(menu)[0].startswith("2: sizes.small: 应为整数 must be an integer")


def test_a_misspelt_key_hides_no_other_fault(menu: Path) -> None:
    menu.write_text("huose: b\nhouse: a\ndishes:\n- {name: x, cooks: [mao]}\n")
    assert [fault.partition(":")[0] for fault in faults(menu, cooks={"li"})] == ["1", "4"]


def test_a_file_that_is_not_there(menu: Path) -> None:
    assert faults(menu) == [" 无法读取 cannot be read: No such file or directory"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert faults(tmp_path) == [" 无法读取 cannot be read: not a file"]


def test_a_file_that_is_no_text(menu: Path) -> None:
    menu.write_bytes("house: a\n# 茶".encode("gbk"))
    assert faults(menu) == ["2: 不是 UTF-8，请另存为 UTF-8 not UTF-8: save it as UTF-8"]


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
            "topics.1.zh: 不能为空 must not be empty",
        ),
        ("- {code: water..pipe, zh: 管, en: x}", "topics.1.code: 格式不符，应匹配 must match"),
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
        (
            "code: XX, kind: town",
            "area: 镇和区县须有区域，其他单位不得有 towns and districts have one, and only they",
        ),
        ("code: XX, kind: village", "parent: 村（社区）须有上级"),
        ('code: XX, kind: office, area: "610924111"', "area: 镇和区县须有区域"),
        ("code: x.x, kind: office", "code: 格式不符，应匹配 must match"),
        (
            "code: XX, kind: hamlet",
            "kind: 只能是下列之一 must be one of 'town', 'district', 'department', 'utility', 'office', "
            "'village' or 'station'",
        ),
    ],
)
def test_a_broken_unit_is_pointed_at(menu: Path, row: str, said: str) -> None:
    menu.write_text(f"{UNITS}- {{{row}, name: x, delivery: feed, liaison: y}}\n", encoding="utf-8")
    [fault] = faults(menu, Units)
    assert fault.startswith(f"5: units.2.{said}")
