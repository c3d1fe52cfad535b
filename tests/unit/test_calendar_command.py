"""calendar import, calendar local: checked, shown as a difference, written beside what stood there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from operations import notices
from operations.runtime.reload import check
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.folder import CalendarRules, Folder, calendar_of
from shared.jurisdiction.holidays import Notice
from tests.fixtures.calendars import at
from tests.fixtures.commands import Printed, typed
from tests.fixtures.notices import MADE_UP, made_up, put
from tests.fixtures.policy import CONFIG

Days = list[dict[str, Any]]


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the county, to change."""
    return Path(shutil.copytree(CONFIG, tmp_path / "county"))


def imported(county: Path, notice: dict[str, Any], *words: str, name: str = "2027.json") -> Printed:
    file = put(county.parent, notice, name)
    return typed("calendar", "import", str(file), "--into", str(county), *words)


def local(county: Path, *words: str) -> Printed:
    return typed("calendar", "local", *words, "--into", str(county))


FLOOD = (
    "add",
    "2027-07-14",
    "--name",
    "防汛停工",
    "--off",
    "--paper",
    "紫汛〔2027〕7号",
    "--by",
    "县防指",
)

# --- a year's notice ----------------------------------------------------------------------------


def test_a_drill_with_2027_is_written_shown_and_settles_the_year(county: Path) -> None:
    start, limit = at("2026-12-30T10:00"), Limit.parse("3wd")
    assert calendar_of(county).due(start, limit) == (at("2027-01-04T18:00"), True)
    done = imported(county, made_up())
    assert (done.code, done.err) == (0, "")
    assert f"2027-01-01 周五 上班 → 放假 workday → off：元旦（{MADE_UP}）" in done.out
    assert f"2027-01-30 周六 放假 → 上班 off → workday：春节（{MADE_UP}）" in done.out
    assert "2027-01-02" not in done.out, "a Saturday is off anyway"
    assert "make reload" in done.out
    assert "暂定" not in done.out
    kept = (county / "calendar/2027.json").read_bytes()
    assert kept == (county.parent / "2027.json").read_bytes()
    assert not (county / "calendar/2027.json~").exists()
    assert calendar_of(county).due(start, limit) == (at("2027-01-05T18:00"), False)
    check(county)


def test_a_year_without_one_of_its_holidays_stays_provisional_and_that_is_said(
    county: Path,
) -> None:
    done = imported(county, made_up(without="中秋节"))
    assert done.code == 0
    assert "2027 年仍为暂定，缺 the year stays provisional, without: 中秋节" in done.out
    assert not calendar_of(county).knows(2027)
    whole = imported(county, made_up())
    assert whole.code == 0, "a day more contradicts nothing"
    assert calendar_of(county).knows(2027)
    before = json.loads((county / "calendar/2027.json~").read_text(encoding="utf-8"))
    assert before == made_up(without="中秋节")


def moved(days: Days) -> None:
    days[-1]["isOffDay"] = True  # 10-09 is off now


def gone(days: Days) -> None:
    del days[-1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (moved, "isOffDay: 与已有的通知不符 contradicts 2027.json：上班 workday"),
        (gone, "days: 缺少已有的 2027-10-09 上班 workday stands in 2027.json"),
    ],
)
def test_what_contradicts_is_refused_unless_it_replaces(
    county: Path, change: Callable[[Days], None], said: str
) -> None:
    assert imported(county, made_up()).code == 0
    first, notice = (county / "calendar/2027.json").read_bytes(), made_up()
    change(notice["days"])
    done = imported(county, notice)
    assert done.code == 2
    assert said in done.err
    assert "--replace" in done.err
    assert (county / "calendar/2027.json").read_bytes() == first
    done = imported(county, notice, "--replace")
    assert done.code == 0
    assert said in done.out
    assert "2027-10-09 周六 上班 → 放假" in done.out
    assert (county / "calendar/2027.json~").read_bytes() == first
    assert not calendar_of(county).is_working_day(date(2027, 10, 9))


def test_a_notice_may_contradict_that_of_the_year_beside_it(county: Path) -> None:
    notice = made_up()
    notice["days"].append({"name": "元旦", "date": "2026-12-31", "isOffDay": True})
    assert imported(county, notice).code == 0, "nothing is said of that day yet"
    assert not calendar_of(county).is_working_day(date(2026, 12, 31))
    year = json.loads((county / "calendar/2026.json").read_text(encoding="utf-8"))
    year["days"].append({"name": "元旦", "date": "2027-01-03", "isOffDay": False})
    done = imported(county, year, name="2026.json")
    assert "contradicts 2027.json：放假 off" in done.err


def edited(**what: Any) -> Callable[[dict[str, Any]], None]:
    return lambda notice: notice.update(what)


def day(at: int, **what: Any) -> Callable[[dict[str, Any]], None]:
    return lambda notice: notice["days"][at].update(what)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited(year=2028), "year: 与文件名不符 the file is called 2027.json"),
        (edited(year=27), "year: 不是 2007 至 2100 年"),
        (edited(papers=[" "]), "papers: 没有通知的网址或文号"),
        (edited(days=[]), "days: 没有任何一天：通知还没有发布"),
        (edited(day=[]), "day: 未知的键 unknown key；是否指 did you mean days"),
        (day(4, date="2027-02-05"), "days.4.date: 同一天重复，首见第 3 项"),
        (day(4, date="2028-02-05"), "days.4.date: 不在 2027 年及其前后十天内"),
        (day(4, date="2027-02-30"), "days.4.date"),
        (day(4, name="春结"), "days.4.name: 不是法定节日 no statutory holiday: '春结'；是否指"),
        (day(4, name="元宵节"), "calendar local add"),
        (day(3, isOffDay=False), "days.3.isOffDay: 周五本来上班，不是调休"),
        (day(0, isOffDay=False), "元旦 2027-01-01 没有放假 is not off"),
    ],
)  # fmt: skip
def test_a_notice_that_cannot_be_meant_is_refused_with_file_line_and_field(
    county: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    notice = made_up()
    change(notice)
    done = imported(county, notice)
    assert (done.code, done.out) == (2, "")
    [line] = [line for line in done.err.splitlines() if said in line]
    assert line.startswith(f"{county.parent}/2027.json:")
    assert line.removeprefix(f"{county.parent}/2027.json:").split(":")[0].isdecimal()
    assert not (county / "calendar/2027.json").exists()


def test_every_fault_is_told_at_once(county: Path) -> None:
    notice = made_up()
    notice["days"][0]["name"], notice["days"][3]["isOffDay"] = "元但", False
    assert len(imported(county, notice).err.splitlines()) == 2


def test_a_year_without_a_workday_is_refused_and_not_written(county: Path) -> None:
    notice = made_up() | {"days": []}
    for n in range(365):
        that = date.fromordinal(date(2027, 1, 1).toordinal() + n)
        notice["days"].append({"name": "春节", "date": str(that), "isOffDay": True})
    done = imported(county, notice)
    assert (done.code, "2027: 全年没有工作时间" in done.err) == (2, True)
    assert not (county / "calendar/2027.json").exists()


def test_what_nobody_can_mean_in_a_folder_is_named_at_the_check(county: Path) -> None:
    notice = made_up()
    notice["days"][3]["isOffDay"] = False
    put(county / "calendar", notice)
    done = typed("check-config", str(county))
    assert done.code == 0, "a folder of the release before is read as it is"
    assert "calendar/2027.json: days.3.isOffDay: 周五本来上班" in done.err
    assert not list(notices.doubts(Folder.take(CONFIG).read(CalendarRules).calendar.notices))


def test_files_of_holiday_cn_are_taken_as_they_are(county: Path) -> None:
    """With its two marks of origin, and days of the year beside it."""
    notice = made_up() | {"$schema": "x", "$id": "y"}
    notice["days"].insert(0, {"name": "元旦", "date": "2026-12-27", "isOffDay": False})
    assert imported(county, notice).code == 0
    assert Notice.model_validate(notice).place_of_origin == "y"


# --- local days ---------------------------------------------------------------------------------


def test_a_local_day_is_written_and_taken_out_again(county: Path) -> None:
    before = calendar_of(county)
    done = local(county, *FLOOD)
    assert done.code == 0, done.err
    assert (
        "2027-07-14 周三 上班 → 放假 workday → off：防汛停工（县防指 紫汛〔2027〕7号）" in done.out
    )
    assert "make reload" in done.out
    assert not calendar_of(county).is_working_day(date(2027, 7, 14))
    check(county)
    done = local(
        county, "add", "2027-07-17", "--name", "防汛补班", "--on", "--paper", "八", "--by", "县政府"
    )
    assert "2027-07-17 周六 放假 → 上班" in done.out
    assert calendar_of(county).is_working_day(date(2027, 7, 17))
    assert local(county, "remove", "2027-07-17").code == 0
    assert "防汛补班" in (county / "calendar/local.yaml~").read_text(encoding="utf-8")
    done = local(county, "remove", "2027-07-14")
    assert "2027-07-14 周三 放假 → 上班" in done.out
    assert calendar_of(county).special == before.special
    assert local(county, "remove", "2027-07-14").code == 2


def test_a_local_day_of_a_unit_is_shown_with_its_code(county: Path) -> None:
    done = local(county, *FLOOD, "--unit", "HC", "--unit", "CG")
    assert "\nHC 2027-07-14 周三 上班 → 放假" in f"\n{done.out}"
    assert "\n2027-07-14" not in f"\n{done.out}"
    assert local(county, "remove", "2027-07-14").code == 2, "it is not the whole place's"
    assert local(county, "remove", "2027-07-14", "--unit", "CG", "--unit", "HC").code == 0


def test_the_words_a_file_begins_with_stay(county: Path) -> None:
    path = county / "calendar/local.yaml"
    path.write_text("# 本地放假\n# 由政府办维护\ndays: []\n", encoding="utf-8")
    assert local(county, *FLOOD).code == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# 本地放假\n# 由政府办维护\ndays:\n  - {")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "2027-07-32", *FLOOD[2:]), r"local.yaml:2: days.0.date"),
        (("add", "2027-07-17", *FLOOD[2:]), "本来如此，什么都没有改变"),
        ((*FLOOD[:6], " ", *FLOOD[7:]), "days.0.paper"),
        ((*FLOOD, "--unit", "XX"), "days.0.units.0: 代码不存在 no such code: XX"),
        (("add", "2027-07-14", "--name", "防汛停工", "--paper", "七", "--by", "县防指"), "--off"),
    ],
)
def test_a_local_day_that_cannot_be_is_refused_and_not_written(
    county: Path, words: tuple[str, ...], said: str
) -> None:
    done = local(county, *words)
    assert (done.code, said in done.err) == (2, True), done
    assert not (county / "calendar/local.yaml").exists()


def test_the_same_day_again_is_refused_unless_it_replaces(county: Path) -> None:
    assert local(county, *FLOOD).code == 0
    again = (*FLOOD[:6], "紫汛〔2027〕9号", *FLOOD[7:])
    done = local(county, *again)
    assert (done.code, "同一天重复" in done.err) == (2, True)
    assert local(county, *again, "--replace").code == 0
    assert calendar_of(county).special[date(2027, 7, 14)].notice == "县防指 紫汛〔2027〕9号"


def test_a_day_that_is_over_moves_no_clock_and_that_is_said(county: Path) -> None:
    done = local(county, "add", "2026-03-06", *FLOOD[2:])
    assert (done.code, "该日已过" in done.out) == (0, True)
