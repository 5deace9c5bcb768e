"""Who may read the archive."""

from __future__ import annotations

from django.conf import settings
from django.views import View
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class MayReadArchive(BasePermission):
    """People with ``media_archive.view_mediaitem``; everybody where
    ``PHOTOWALL_PUBLIC_ARCHIVE`` is set. For reading only: a view that writes needs
    a permission of its own."""

    message = "You may not read the archive: ask an admin to put you in “analyst”."

    def has_permission(self, request: Request, view: View) -> bool:
        """False for a method that changes something, unless the view has none: then
        the answer is "method not allowed" and nothing is lost."""
        if request.method not in SAFE_METHODS and hasattr(
            view, (request.method or "").lower()
        ):
            return False
        if settings.PHOTOWALL_PUBLIC_ARCHIVE:
            return True
        return request.user.has_perm("media_archive.view_mediaitem")
