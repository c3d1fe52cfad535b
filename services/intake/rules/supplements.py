"""补充: how much a citizen may add to one ticket. Pure. The bound is our own proposal."""

from __future__ import annotations

from shared.errors import JiesuError

MOST = 100
MOST_CHARACTERS = 100_000


class SupplementsFull(JiesuError):
    """The ticket has as much added to it as it may have; ``most`` and ``most_characters`` say how
    much, ``count`` and ``characters`` what it has. What is new goes into a ticket of its own.
    """

    status = 409
    slug = "supplements-full"
    title = "本工单的补充已满 Nothing more can be added to this ticket"


def has_room(count: int, characters: int) -> bool:
    """Whether anything at all may be added to what a ticket has."""
    return count < MOST and characters < MOST_CHARACTERS


def check_room(count: int, characters: int, more: int) -> None:
    """Whether ``more`` characters may be added to what a ticket has. Raises SupplementsFull."""
    if count < MOST and characters + more <= MOST_CHARACTERS:
        return
    raise SupplementsFull(
        f"每张工单最多补充 {MOST} 条、共 {MOST_CHARACTERS} 字；现有 {count} 条 {characters} 字。"
        "请另行登记一张工单，原工单号填本工单编号；催促请用催单。"
        f"A ticket takes {MOST} supplements of {MOST_CHARACTERS} characters together and has {count} of"
        f" {characters}. Register another ticket with `follows`, this one's number; to press, urge it.",
        most=MOST,
        most_characters=MOST_CHARACTERS,
        count=count,
        characters=characters,
    )
