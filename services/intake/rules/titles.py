"""标题: what stands for a title where none was given; exports and recordings have none. Pure."""

from __future__ import annotations

import re

LONGEST = 100  # characters, as a title that is given
_ENDS = re.compile(r"[。！？!?；;\r\n]+")
_HALF_A_MASK = re.compile(r"\[[^\[\]]{0,8}$")  # cut between [ and ]


def title_of(content: str) -> str:
    """The first sentence of a text, on one line. It is taken from the working copy: of the words as
    they were said, a cut might leave half a telephone number, which no mask knows any more.
    """
    sentences = (" ".join(part.split()) for part in _ENDS.split(content))
    first = next((part for part in sentences if any(map(str.isalnum, part))), None)
    title = first or " ".join(content.split())
    if len(title) <= LONGEST:
        return title
    return _HALF_A_MASK.sub("", title[: LONGEST - 1]) + "…"
