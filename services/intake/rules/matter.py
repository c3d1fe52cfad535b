"""事项数据: numbers of others that a complaint is about, each behind a numbered place in its texts.

"一直被 [电话1] 骚扰": the text says that there is a number and which, the vault what it is. The caller's
own is not among them; it stands with the contact, and as [电话] in the texts.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.security.reading import FOLD, NUMERALS


class Matter:
    """The places of one ticket, begun with those it has. One number has one place, however written."""

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self.places = dict(known)
        self._text = text
        self._given = {_dense(hidden): place for place, hidden in known.items()}

    def put(self, label: str, hidden: str) -> str:
        """The place that stands for what is hidden: [电话1]. None that the text names by itself."""
        key = _dense(hidden)
        if key not in self._given:
            count = 1
            while (place := f"{label[:-1]}{count}]") in self.places or place in self._text:
                count += 1
            self.places[place] = hidden.strip()
            self._given[key] = place
        return self._given[key]


def _dense(written: str) -> str:
    return "".join(filter(str.isalnum, written.translate(FOLD).translate(NUMERALS)))
