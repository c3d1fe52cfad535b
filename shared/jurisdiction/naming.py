"""What people call a code: a form, a phone system or another platform may send the name instead. Pure.

Names are compared as people mean them: full-width letters as half-width, capitals as small, without
blanks and without the strokes of a path, so that 城乡建设/供水 and 城乡建设 > 供水 are one name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.errors import AmbiguousCode
from shared.jurisdiction.sections import Where

_STROKES = re.compile(r"[\s/>]+")


def name_key(text: str) -> str:
    """A name in the spelling it is compared in."""
    return _STROKES.sub("", unicodedata.normalize("NFKC", text).casefold())


class Names:
    """The codes of a table, and everything their rows are called."""

    def __init__(self, called: Mapping[str, Iterable[str]]) -> None:
        self._codes = called.keys()
        self._called: dict[str, list[str]] = {}
        for code, names in called.items():
            for name in dict.fromkeys(map(name_key, names)):
                self._called.setdefault(name, []).append(code)

    def codes(self, text: str) -> Sequence[str]:
        """The codes a text may mean, in the order of the table: itself if it is one; else of every
        row that is called so; none when it is unknown.
        """
        return (text,) if text in self._codes else self._called.get(name_key(text), ())

    def code(self, text: str, field: str) -> str:
        """The code a text means, or the text itself where nothing is called so, for whoever asked to
        refuse it. Raises AmbiguousCode, for the field of a request, with the codes it may mean.
        """
        if text in self._codes:
            return text
        meant = self.codes(text)
        if len(meant) > 1:
            raise AmbiguousCode(
                "此名称对应多个代码，请改用代码 the name stands for several codes, send one of these: "
                f"{', '.join(meant)}",
                field=field,
                allowed=list(meant),
            )
        return meant[0] if meant else text


def paths(names: Sequence[str]) -> Iterator[str]:
    """The names of a row with those above it, root first: its own, then with one above it, …"""
    for at in range(len(names) - 1, -1, -1):
        yield "/".join(names[at:])


def idle_aliases(
    table: str, rows: Sequence[tuple[str, Iterable[str]]]
) -> Iterator[tuple[Where, str]]:
    """Aliases (code, aliases) that can never be heard, or that never say which row is meant."""
    codes = {code for code, _ in rows}
    first: dict[str, str] = {}
    for at, (code, aliases) in enumerate(rows):
        for place, alias in enumerate(aliases):
            where = (table, at, "aliases", place)
            owner = first.setdefault(name_key(alias), code)
            if alias in codes:
                yield where, f"{alias} 已是代码 is a code already"
            elif owner != code:
                yield where, f"{alias} 已是 {owner} 的别名 is an alias of {owner} already"
