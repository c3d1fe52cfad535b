"""What intake derives from its secret: the code of a ticket (查询码), and an index of phones."""

from __future__ import annotations

import hmac
import re
import unicodedata

from shared.security.digests import Digester

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, U: they are misread aloud
CODE_LENGTH = 8


class CitizenDigester(Digester):
    """The digests that concern a citizen, beside the general ones."""

    def blind_index(self, value: str, purpose: str) -> str:
        """Hex digest of a value, to look it up by; normalise it first (``normal_phone``)."""
        return self.digest(f"index {purpose}", value.encode()).hex()

    def ticket_code(self, number: str) -> str:
        """查询码: the citizen's code to a ticket number; derived each time, stored nowhere."""
        rest = int.from_bytes(self.digest("ticket code", number.encode()))
        letters = []
        for _ in range(CODE_LENGTH):
            rest, at = divmod(rest, len(CODE_LETTERS))
            letters.append(CODE_LETTERS[at])
        return "".join(letters)

    def check_code(self, number: str, code: str) -> bool:
        """Whether a code, in any case and spacing, is the number's; takes the same time always."""
        typed = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).upper()
        return hmac.compare_digest(self.ticket_code(number).encode(), typed.encode())
