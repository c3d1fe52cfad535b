"""What intake derives from its secret: the code of a ticket (查询码), and an index of phones."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable
from uuid import UUID

from shared.security.digests import Digester

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, U: they are misread aloud
CODE_LENGTH = 8
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
CODES = len(CODE_LETTERS) ** CODE_LENGTH


class CitizenDigester(Digester):
    """The digests that concern a citizen, beside the general ones."""

    def blind_index(self, value: str, purpose: str) -> str:
        """Hex digest of a value, to look it up by; normalise it first (``normal_phone``)."""
        return self.digest(f"index {purpose}", value.encode()).hex()

    def caller_digests(self, numbers: Iterable[str], *, confidential: bool) -> list[bytes]:
        """What a ticket is found by when its caller gave these numbers, normalised."""
        indexes = [self.blind_index(number, "phone") for number in dict.fromkeys(numbers)]
        return [self.caller_digest(index, confidential=confidential) for index in indexes]

    def caller_digest(self, index: str, *, confidential: bool) -> bytes:
        """What a caller is found by, from the blind index of a number. Confidential tickets have a key of
        their own, so that nothing in their rows is equal to anything of other tickets (R-35).
        """
        use = "index confidential caller" if confidential else "index caller"
        return self.digest(use, index.encode())[:16]

    def call_id(self, given: str) -> UUID:
        """Our id of a call, from the exchange's own, in which there may be somebody's number."""
        return UUID(bytes=self.digest("call id", given.encode())[:16], version=5)

    def stand_in(self, source_number: str) -> str:
        """What stands for an upstream number that may name a person, wherever it would be read. Letters
        only: nothing in it looks like a number of anybody.
        """
        digest = self.digest("source number", source_number.encode())[:16]
        return f"src-{digest.hex().translate(_LETTERS)}"

    def ticket_code(self, number: str, nonce: UUID | None) -> str:
        """查询码: the citizen's code to a ticket; derived each time, stored nowhere.

        A number can be given again after a restore, so the code hangs on the ticket's ``nonce``
        too; tickets of an older release have none.
        """
        made_of = number if nonce is None else f"{number} {nonce}"
        rest = int.from_bytes(self.digest("ticket code", made_of.encode())) % CODES
        letters = []
        for _ in range(CODE_LENGTH):
            rest, at = divmod(rest, len(CODE_LETTERS))
            letters.append(CODE_LETTERS[at])
        return "".join(letters)

    def check_code(self, number: str, nonce: UUID | None, code: str) -> bool:
        """Whether a code, in any case and spacing, is the ticket's; takes the same time always."""
        typed = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).upper()
        return hmac.compare_digest(self.ticket_code(number, nonce).encode(), typed.encode())
