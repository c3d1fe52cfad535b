"""检索词: texts as they are searched by words. Pure.

Chinese has no blanks between words, and most words have two characters: so a text is found by its
grams, the pairs of characters that stand side by side in it. A gram is one number, which the
database compares faster than text.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

LETTERS = 0xFFFF  # beyond the basic plane two characters may share a number: words are compared too
SIGNED = 1 << 31


def searchable(text: str) -> str:
    """A text as it is compared: letters and digits in one form, one blank for whatever else."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def grams(words: str) -> list[int]:
    """The grams of a searchable text, each once, as signed numbers of 32 bits."""
    pairs = pairwise(words)
    numbers = {(ord(a) & LETTERS) << 16 | ord(b) & LETTERS for a, b in pairs if " " not in (a, b)}
    return sorted(n - 2 * SIGNED if n >= SIGNED else n for n in numbers)


def asked_for(text: str) -> str:
    """What somebody searches for, searchable. Raises ValueError when no two of its characters stand side
    by side: one character stands in half of all texts.
    """
    words = searchable(text)
    if not grams(words):
        raise ValueError(
            "检索至少需要相邻的两个字 search for at least two characters side by side, letters or digits"
        )
    return words
