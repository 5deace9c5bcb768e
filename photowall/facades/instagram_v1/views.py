"""Reading the archive in the dialect: tags and media."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Exists, OuterRef

from media_archive import walls
from media_archive.errors import InvalidTag
from media_archive.models import MediaItem, MediaTag, Tag, Visibility
from media_archive.tags import normalise_tag
from photowall.facades.instagram_v1.doors import Asked
from photowall.facades.instagram_v1.errors import invalid, no_such_path, not_found
from photowall.facades.instagram_v1.paging import tag_page
from photowall.facades.instagram_v1.parameters import Parameters
from photowall.facades.instagram_v1.records import record_of, whole
from photowall.facades.models import ApiClient
from subscriptions.providers.instagram_v1.wire import (
    envelope,
    fields,
    pages,
    rendering,
    shortcodes,
)

PAGE = 20
LARGEST_PAGE = 33
MOST_TAGS = 50

Document = Mapping[str, object]


def tag(asked: Asked, name: str) -> Document:
    """``/tags/{tag}``: a tag nobody has used has 0 media. The count may be a few
    seconds old."""
    return envelope.render_envelope(_rendered_tag(_tag(name)))


def search_tags(asked: Asked) -> Document:
    """``/tags/search?q=``: the tags that begin so and have visible media."""
    wanted = _tag(asked.parameters.get("q"))
    visible = MediaTag.objects.filter(
        tag=OuterRef("pk"), item__visibility=Visibility.VISIBLE
    )
    names = list(
        Tag.objects.filter(Exists(visible), name__startswith=wanted)
        .order_by("name")
        .values_list("name", flat=True)[:MOST_TAGS]
    )
    return envelope.render_envelope([_rendered_tag(name) for name in names])


def tag_recent(asked: Asked, name: str) -> Document:
    """``/tags/{tag}/media/recent``: by the time they were listed, newest first."""
    parameters = asked.parameters
    page = tag_page(
        _tag(name),
        count=parameters.count(default=PAGE, most=LARGEST_PAGE),
        above=parameters.cursor("min_tag_id", "min_id"),
        below=parameters.cursor("max_tag_id", "max_id"),
    )
    following = (
        pages.render_next_url(asked.address, parameters.query, page.older)
        if page.older is not None
        else None
    )
    return envelope.render_envelope(
        [rendering.render_media(record_of(item)) for item in page.items],
        pages.render_tag_pagination(page.newest, page.older, following),
    )


def media(asked: Asked, native_id: str) -> Document:
    """``/media/{id}``: ``pk_userid`` or the pk alone."""
    return _one_media({native_id, fields.native_id(native_id) or native_id})


def media_by_shortcode(asked: Asked, shortcode: str) -> Document:
    """``/media/shortcode/{code}``: the short name in a permalink."""
    pk = shortcodes.from_shortcode(shortcode)
    return _one_media(set() if pk is None else {str(pk)})


def nobody(parameters: Parameters) -> ApiClient:
    """Who may ask for an address that is none: the refusal is the answer."""
    raise no_such_path()


def _one_media(native_ids: set[str]) -> Document:
    wanted = {each for each in native_ids if "\x00" not in each}
    item = (
        whole(MediaItem.objects.visible())
        .filter(native_id__in=wanted)
        .order_by("id")
        .first()
    )
    if item is None:
        raise not_found("invalid media id")
    return envelope.render_envelope(rendering.render_media(record_of(item)))


def _tag(text: str) -> str:
    try:
        return normalise_tag(text)
    except InvalidTag as error:
        raise invalid(error.message) from error


def _rendered_tag(name: str) -> Document:
    """With the count that the walls show: a very large tag is not counted for every
    request."""
    return rendering.render_tag(name, walls.counts(name)["count"])
