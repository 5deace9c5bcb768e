"""The questions one may ask the archive; used by the API, facades, wall, exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import F, Q

if TYPE_CHECKING:
    from media_archive.models import MediaItem  # noqa: F401  in the quoted name below


class MediaItemQuerySet(models.QuerySet["MediaItem"]):
    """Media items. ``tag`` is always in its normal form."""

    def visible(self) -> Self:
        """What may leave the house."""
        return self.filter(visibility="visible")

    def showable(self) -> Self:
        """What a wall has: visible, and it is settled whether the first picture is
        kept. Words alone have nothing to wait for."""
        waiting = apps.get_model("media_archive.MediaAsset").objects.filter(
            item=models.OuterRef("pk"), position=0, state="pending"
        )
        return self.visible().filter(Q(kind="text") | ~models.Exists(waiting))

    def with_pictures(self, what: str) -> Self:
        """By what became of their pictures: all are "kept", one is "waiting", or one
        is "missing" for good. Without any there is nothing to keep."""
        assets = apps.get_model("media_archive.MediaAsset").objects.filter(
            item=models.OuterRef("pk")
        )
        waiting = models.Exists(assets.filter(state="pending"))
        offers = Q(downloads__role="picture")
        missing = models.Exists(
            assets.exclude(state__in=["pending", "ready"]).filter(offers)
        )
        if what == "waiting":
            return self.filter(waiting)
        if what == "missing":
            return self.filter(missing)
        return self.exclude(waiting).exclude(missing)

    def tagged(self, tag: str) -> Self:
        """Listed under ``tag``."""
        return self.filter(listings__tag__name=tag)

    def newest_first(self) -> Self:
        """By the time they were posted (archived, where that is not known)."""
        return self.order_by("-dated_at", "-id")

    def newest_of_tag(self, tag: str) -> Self:
        """Listed under ``tag``, newest first, straight from the listing's index."""
        return self.tagged(tag).order_by("-listings__dated_at", "-listings__item_id")

    def listed(self) -> Self:
        """With ``listed_at`` and ``listed_id``, by which all lists are sorted."""
        return self.annotate(listed_at=F("dated_at"), listed_id=F("id"))

    def listed_under(self, tag: str) -> Self:
        """The listing of ``tag``: ``listed_at`` and ``listed_id`` are columns of the
        listing's own index, so that a page of it is one short walk in it."""
        # A subquery and not a join: the database needs one tag to walk in order.
        row = (
            apps.get_model("media_archive.Tag")
            .objects.filter(name=tag)
            .values("id")[:1]
        )
        return self.filter(listings__tag=row).annotate(
            listed_at=F("listings__dated_at"), listed_id=F("listings__item_id")
        )

    def by_author(self, who: str) -> Self:
        """Of the authors with this username (with or without ``@``) or native id.

        Usernames are asked for as they are and in small letters, as providers keep
        them: both are looked up in the index.
        """
        name = who.removeprefix("@")
        authors = apps.get_model("media_archive.Author").objects.filter(
            Q(username__in={name, name.lower()}) | Q(native_id=who)
        )
        return self.filter(author__in=list(authors.values_list("id", flat=True)[:100]))

    def whole(self) -> Self:
        """With all that is needed to render them, in five queries: author, tags,
        assets, and the kept files of both with their sizes."""
        assets = apps.get_model("media_archive.MediaAsset").objects.select_related(
            "picture", "film"
        )
        return self.select_related("author__avatar").prefetch_related(
            models.Prefetch("assets", assets),
            "assets__picture__renditions",
            "author__avatar__renditions",
            models.Prefetch("tags", to_attr="all_tags"),
        )
