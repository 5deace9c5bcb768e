"""Any part of any recorded document replaced by anything breaks nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from subscriptions.errors import Unreadable
from subscriptions.providers.instagram_v1.provider import InstagramV1
from subscriptions.providers.instagram_v1.wire import (
    envelope,
    media,
    pages,
    rendering,
)
from tests.providers import instagram_v1_documents as documents

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["\x00", "\ud800", "-1", "9" * 30, "http://[", "_", 10**400])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "url", "data", "text", "x"]), inner)
    ),
    max_leaves=6,
)


def places_in(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    if isinstance(document, dict):
        here = list(document.items())
    elif isinstance(document, list):
        here = list(enumerate(document))
    else:
        return []
    found = [(document, key) for key, _ in here]
    return found + [place for _, value in here for place in places_in(value)]


RECORDED = [json.loads(documents.body(name)) for name in documents.MEDIA]


def storable(text: str | None) -> bool:
    return text is None or ("\x00" not in text and text.encode("utf-8") is not None)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_recorded_page_breaks_the_reader(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(RECORDED)))
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(places_in(document)))
        container[key] = data.draw(VALUES)
    items = media.media_in(document)
    try:
        items = (*items, *pages.parse_page(document).media)
    except envelope.NotOurFormat:
        assert not isinstance(document.get("data"), list | dict)
    envelope.error_in(200, document)
    for item in items:
        assert item.native_id
        assert storable(item.native_id)
        assert storable(item.caption)
        assert all(map(storable, item.tags))
        assert item.likes is None or 0 <= item.likes < 2**63
        for text in (
            item.author.name if item.author else None,
            item.place.name if item.place else None,
        ):
            assert storable(text)
        # What was read can be written, and read again as the same.
        written = rendering.render_media(item)
        again = media.parse_media(written)
        assert again is not None
        assert again.native_id == item.native_id
        assert again.caption == item.caption
        assert again.place == item.place


@settings(max_examples=200, deadline=None)
@given(body=st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_break_the_reader_of_notifications(body: bytes) -> None:
    try:
        found = InstagramV1().parse_notifications(body)
    except Unreadable:
        return
    assert all(each.object and storable(each.object_id) for each in found)
