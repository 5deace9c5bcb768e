"""``{% store_alerts %}``: what waits for a person about the store, for the admin."""

from __future__ import annotations

from typing import Any

from django import template

from media_archive import disk_space

register = template.Library()


@register.inclusion_tag(
    "admin/store_alerts.html", name="store_alerts", takes_context=True
)
def shown_alerts(context: template.Context) -> dict[str, Any]:
    """Nothing for those who may not see media."""
    if not context["request"].user.has_perm("media_archive.view_mediaitem"):
        return {"look": None}
    look = disk_space.outlook()
    return {"look": look if look.is_short else None, "is_full": disk_space.is_full()}
