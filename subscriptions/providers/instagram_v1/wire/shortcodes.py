"""The short name in a permalink is the pk in base 64, most significant first.

Checked on recorded pairs: 3 → ``D``, 733194846952938437 → ``os1NQjxtvF`` (2014).
"""

from __future__ import annotations

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MAX_LENGTH = 40


def to_shortcode(pk: int) -> str:
    """0 is ``A``. Raises ``ValueError`` for a negative number: there is no such pk."""
    if pk < 0:
        raise ValueError("A pk is never negative.")
    digits = ""
    while True:
        pk, digit = divmod(pk, 64)
        digits = ALPHABET[digit] + digits
        if not pk:
            return digits


def from_shortcode(shortcode: str) -> int | None:
    """``None`` for what is not one: empty, too long, or other characters."""
    if not 0 < len(shortcode) <= MAX_LENGTH:
        return None
    pk = 0
    for character in shortcode:
        digit = ALPHABET.find(character)
        if digit < 0:
            return None
        pk = pk * 64 + digit
    return pk
