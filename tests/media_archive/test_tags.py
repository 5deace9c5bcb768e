"""What a hashtag is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from media_archive.errors import InvalidTag
from media_archive.tags import LONGEST, normalise_tag


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "#",
        "# # #",
        "two words",
        "a-b",
        "a.b",
        "../../etc",
        "a/b",
        "🎉",
        "sun🎉",
        "❤️",
        "_",
        "___",
        "\u0301",
        "a\x00b",
        "a\ud800b",
        "a\u200bb",
        "a\u202eb",
        "x" * (LONGEST + 1),
        "ﷺ" * 30,
        "<script>",
        "a'b",
        "100%",
    ],
)
def test_what_is_no_hashtag_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidTag) as refused:
        normalise_tag(text)
    assert refused.value.message[0].isupper()
    assert refused.value.message.endswith(".")
    assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("nofilter", "nofilter"),
        ("##x", "x"),
        (" #Fête ", "fête"),
        ("# nofilter", "nofilter"),
        ("FE\u0302TE", "fête"),
        ("Straße", "strasse"),
        ("ＦＵＬＬ", "full"),
        ("日本語", "日本語"),
        ("مرحبا", "مرحبا"),
        ("หวัดดี", "หวัดดี"),
        ("नमस्ते", "नमस्ते"),
        ("İstanbul", "i̇stanbul"),
        ("_a1", "_a1"),
        ("2026", "2026"),
        ("x" * LONGEST, "x" * LONGEST),
    ],
)
def test_a_hashtag_has_one_form(text: str, normal: str) -> None:
    assert normalise_tag(text) == normal


@given(
    some.text(max_size=120)
    | some.text(
        some.characters(categories=["L", "Nd", "Mn", "Mc"]), min_size=1, max_size=60
    )
)
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    try:
        normal = normalise_tag(text)
    except InvalidTag:
        return
    assert normalise_tag(normal) == normal
    assert normalise_tag(f" #{normal} ") == normal
    assert 1 <= len(normal) <= LONGEST
    normal.encode()


@pytest.mark.parametrize("text", ["#️⃣", "a\u200db", "️sunset"])
def test_what_nobody_sees_is_called_hidden(text: str) -> None:
    with pytest.raises(InvalidTag, match="a hidden character"):
        normalise_tag(text)
    with pytest.raises(InvalidTag, match="“!”"):
        normalise_tag("a!")
