"""What we follow, in the admin. The modules beside it hold one subject each."""

from __future__ import annotations

from django.contrib import admin

from subscriptions.admin_accounts import ProviderAccountAdmin
from subscriptions.admin_backfills import BackfillAdmin
from subscriptions.admin_receipts import ReceiptAdmin
from subscriptions.admin_subscriptions import SubscriptionAdmin
from subscriptions.models import Backfill, ProviderAccount, Receipt, Subscription

admin.site.register(Subscription, SubscriptionAdmin)
admin.site.register(ProviderAccount, ProviderAccountAdmin)
admin.site.register(Receipt, ReceiptAdmin)
admin.site.register(Backfill, BackfillAdmin)
