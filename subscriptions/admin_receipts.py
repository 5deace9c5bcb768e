"""Receipts in the admin: what was received, byte for byte, and reading it again."""

from __future__ import annotations

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_archive.admin_reading import ReadingAdmin
from subscriptions import inbox
from subscriptions.models import Receipt
from subscriptions.tasks import fetch_subscription

BODY_SHOWN = 50_000
"""Characters; more helps nobody."""

REPLAYED_AT_ONCE = 500


@admin.action(description="Read again (replay)", permissions=["replay"])
def replay(page: ReceiptAdmin, request: HttpRequest, rows: QuerySet[Receipt]) -> None:
    """Read the chosen receipts again, as if they had just come."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:REPLAYED_AT_ONCE])
    due = {feed for feed in map(inbox.process, keys) if feed is not None}
    for feed_pk in due:
        fetch_subscription.delay_on_commit(feed_pk)
    page.message_user(
        request,
        f"{len(keys)} read again; {len(due)} "
        f"{'tag is' if len(due) == 1 else 'tags are'} fetched now.",
        messages.SUCCESS,
    )


class ReceiptAdmin(ReadingAdmin):
    """Newest first; nothing to edit."""

    list_display = ("received_at", "subscription", "state", "reason", "seen")
    list_filter = ("state", ("received_at", admin.DateFieldListFilter))
    list_select_related = ("subscription__account",)
    search_fields = ("subscription__tag",)
    search_help_text = "A hashtag, without #"
    ordering = ("-id",)
    fields = (
        "subscription",
        "state",
        "reason",
        "received_at",
        "last_seen_at",
        "seen",
        "sent_headers",
        "sent_body",
        "body_sha256",
    )
    readonly_fields = ("sent_headers", "sent_body")
    actions = (replay,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        """Without the bodies, which may be large: the page loads its own."""
        rows: QuerySet[Receipt] = super().get_queryset(request)
        return rows.defer("body", "headers")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may fetch may replay."""
        return request.user.has_perm("subscriptions.change_subscription")

    @admin.display(description="Headers")
    def sent_headers(self, receipt: Receipt) -> SafeString:
        """Those that were kept."""
        return _pre(json.dumps(receipt.headers, indent=2))

    @admin.display(description="Body")
    def sent_body(self, receipt: Receipt) -> SafeString:
        """Indented if it is JSON, else as it came, as far as it is text."""
        body = bytes(receipt.body)
        try:
            text = json.dumps(json.loads(body), indent=2)
        except (ValueError, RecursionError):
            text = body[: 4 * BODY_SHOWN].decode("utf-8", "backslashreplace")
        return _pre(text)


def _pre(text: str) -> SafeString:
    more = len(text) - BODY_SHOWN
    shown = text[:BODY_SHOWN] + (f"\n… {more:,} characters more" if more > 0 else "")
    return format_html('<pre class="raw">{}</pre>', shown)
