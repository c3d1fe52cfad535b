"""Real exports have no titles: the first sentence stands in, and names nobody either."""

from __future__ import annotations

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, post


async def test_a_complaint_needs_no_title(intake: Bench) -> None:
    said = complaint(
        content="我是王小明，电话13909150001，小区停水三天。无人处理。", source_number="A1"
    )
    del said["title"]
    answer = await post(intake, "/v1/tickets", said)
    assert answer.status_code == 201, answer.text
    [fact] = await intake.told()
    assert fact.data.title == "我是[姓名]，电话[电话]，小区停水三天"
    again = await post(intake, "/v1/tickets", said)
    assert (again.status_code, again.json()["number"]) == (200, answer.json()["number"])
    other = await post(intake, "/v1/tickets", said | {"title": "另一件事"})
    assert other.status_code == 409


async def test_a_number_at_the_edge_of_the_title_is_not_cut_in_half(intake: Bench) -> None:
    said = complaint(content="水" * 90 + "电话13909150002找我")
    del said["title"]
    assert (await post(intake, "/v1/tickets", said)).status_code == 201
    [fact] = await intake.told()
    assert not any(part in fact.data.title for part in ("13", "90", "02"))
