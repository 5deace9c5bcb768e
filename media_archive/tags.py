"""What a hashtag is: one function, used at every door."""

from __future__ import annotations

import unicodedata

from media_archive.errors import InvalidTag

LONGEST = 100
"""Characters, counted after normalisation."""

ALLOWED = ("L", "Nd", "Mn", "Mc")
"""Unicode categories besides the underscore: letters, digits, combining marks."""


def normalise_tag(text: str) -> str:
    """The one form of a hashtag: without ``#`` and outer spaces, NFKC, casefolded.

    Raises ``InvalidTag`` with a sentence for people when the text is empty, longer
    than 100 characters, or holds anything but letters, digits, underscores and
    combining marks of any script.
    """
    tag = unicodedata.normalize("NFKC", text).strip()
    tag = tag.lstrip("#").strip().casefold()
    tag = unicodedata.normalize("NFKC", tag)
    if not tag:
        raise InvalidTag("Please enter a hashtag, for example #sunset.")
    if len(tag) > LONGEST:
        raise InvalidTag(
            f"That hashtag has {len(tag)} characters; {LONGEST} is the most."
        )
    for character in tag:
        if not _allowed(character):
            raise InvalidTag(
                "A hashtag has letters, digits and _ only, without spaces or signs; "
                f"{_shown(character)} cannot be in it."
            )
    if not any(_carries_meaning(character) for character in tag):
        raise InvalidTag("A hashtag needs at least one letter or digit.")
    return tag


def _allowed(character: str) -> bool:
    if character == "_":
        return True
    # Variation selectors only choose between text and emoji style: not a mark.
    if "\ufe00" <= character <= "\ufe0f":
        return False
    return unicodedata.category(character).startswith(ALLOWED)


def _carries_meaning(character: str) -> bool:
    return unicodedata.category(character).startswith(("L", "Nd"))


def _shown(character: str) -> str:
    if character.isspace():
        return "a space"
    # A mark without a letter to stand on, variation selectors among them, and what
    # only formats text: nobody would see it between the quotation marks.
    hidden = unicodedata.category(character) in {"Mn", "Me", "Cf"}
    if hidden or not character.isprintable():
        return "a hidden character"
    return f"“{character}”"
