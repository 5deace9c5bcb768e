"""``{% subscription_alerts %}``: what waits for a person, on the admin's pages."""

from __future__ import annotations

from typing import Any

from django import template

from subscriptions.alerts import alerts

register = template.Library()


@register.inclusion_tag(
    "admin/subscription_alerts.html", name="subscription_alerts", takes_context=True
)
def shown_alerts(context: template.Context) -> dict[str, Any]:
    """Nothing for those who may not see subscriptions."""
    user = context["request"].user
    may_see = user.has_perm("subscriptions.view_subscription")
    return {
        "alerts": alerts() if may_see else [],
        "may_mend": user.has_perm("subscriptions.change_provideraccount"),
    }
