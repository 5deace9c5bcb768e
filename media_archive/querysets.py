"""The questions one may ask the archive; used by the API, facades, wall, exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    pass


class MediaItemQuerySet(models.QuerySet["MediaItem"]):
    """Media items. ``tag`` is always in its normal form."""

    def visible(self) -> Self:
        """What may leave the house."""
        return self.filter(visibility="visible")

    def tagged(self, tag: str) -> Self:
        """Listed under ``tag``."""
        return self.filter(listings__tag__name=tag)

    def newest_first(self) -> Self:
        """By the time they were posted (archived, where that is not known)."""
        return self.order_by("-dated_at", "-id")

    def newest_of_tag(self, tag: str) -> Self:
        """Listed under ``tag``, newest first, straight from the listing's index."""
        return self.tagged(tag).order_by("-listings__dated_at", "-listings__item_id")

    def whole(self) -> Self:
        """With all that is needed to render them: author, tags, assets."""
        return self.select_related("author").prefetch_related(
            "assets",
            models.Prefetch("tags", to_attr="all_tags"),
        )
