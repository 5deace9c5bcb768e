"""The rows of the demo: people with credentials, and the sandbox as an upstream.

Everything here may run any number of times: it makes what is missing and mends what
has changed, such as a port.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User

from media_archive.models import ApiToken
from media_archive.models.tokens import digest_of
from subscriptions import accounts, lifecycle, transitions
from subscriptions.models import ProviderAccount, State, Subscription
from subscriptions.providers import get_provider

ACTOR = "demo"
ADMIN = "admin"
ANALYST = "analyst"
PROVIDER = "instagram_v1"
SANDBOX = "Sandbox"


def make_admin(password: str) -> bool:
    """The demo's superuser; whether the password is theirs.

    In a database that is not the embedded one, an admin who is there already keeps
    the password they have.
    """
    admin, made = User.objects.get_or_create(
        username=ADMIN, defaults={"is_staff": True, "is_superuser": True}
    )
    if not made and (admin.check_password(password) or not _is_embedded()):
        return bool(admin.check_password(password))
    admin.is_staff = admin.is_superuser = admin.is_active = True
    admin.set_password(password)
    admin.save()
    return True


def _is_embedded() -> bool:
    name = settings.DATABASES["default"]["NAME"]
    return str(name) == str(settings.VAR / "db.sqlite3")


def make_analyst(token: str) -> None:
    """A user who may read the archive through the API, with this token and no
    password."""
    group, _ = Group.objects.get_or_create(name="analyst")
    analyst, made = User.objects.get_or_create(username=ANALYST)
    if made:
        analyst.set_unusable_password()
        analyst.save()
    group.permissions.add(
        *Permission.objects.filter(
            content_type__app_label__in=["media_archive", "subscriptions"],
            codename__in=["view_mediaitem", "view_subscription"],
        )
    )
    analyst.groups.add(group)
    ApiToken.objects.get_or_create(
        digest=digest_of(token), defaults={"user": analyst, "name": "Demo"}
    )


def connect_sandbox(url: str, client_id: str, client_secret: str) -> ProviderAccount:
    """The account at the sandbox, whose address has no slash at the end."""
    account, _ = ProviderAccount.objects.update_or_create(
        name=SANDBOX,
        defaults={
            "provider": PROVIDER,
            "base_url": f"{url}/v1",
            "client_id": client_id,
            "client_secret": client_secret,
            "access_token": "",
        },
    )
    return account


def follow(account: ProviderAccount, tag: str) -> list[int]:
    """Follow the tag, and renew what the sandbox has forgotten or knows under another
    address; the subscriptions to ask the sandbox for.

    Raises what a provider's call raises when the sandbox does not answer.
    """
    if lifecycle.standing(account.provider, tag) is None:
        lifecycle.create(account, tag, ACTOR)
    provider = get_provider(account.provider)
    credentials = accounts.credentials_of(account)
    known = {
        each.native_id: each.callback_url
        for each in provider.subscriptions(credentials)
    }
    standing = Subscription.objects.filter(account=account)
    for subscription in standing.filter(state=State.ACTIVE):
        callback = known.get(subscription.upstream_id)
        if callback == lifecycle.callback_url(subscription):
            continue
        if callback is not None:
            provider.unsubscribe(credentials, native_id=subscription.upstream_id)
        transitions.move(
            subscription.pk,
            State.REQUESTED,
            actor=ACTOR,
            reason="Our address, or the sandbox, is a new one.",
            challenge_asked_at=None,
            upstream_id="",
        )
    for subscription in standing.filter(state=State.FAILED):
        lifecycle.retry(subscription.pk, ACTOR)
    for subscription in standing.filter(state=State.SUSPENDED):
        lifecycle.resume(subscription.pk, ACTOR)
    asked_for = standing.filter(state=State.REQUESTED, challenge_asked_at=None)
    return list(asked_for.values_list("pk", flat=True))
