"""The demo's rows are made once, and mended when the sandbox or a port has changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from media_archive.models import ApiToken
from photowall.up import demo
from subscriptions import lifecycle, transitions
from subscriptions.models import ProviderAccount, State, Subscription
from subscriptions.providers.base import Credentials, UpstreamSubscription

pytestmark = pytest.mark.django_db


class Upstream:
    """A provider that remembers what it was told to end."""

    def __init__(self) -> None:
        self.known: list[UpstreamSubscription] = []
        self.ended: list[str] = []

    def subscriptions(self, credentials: Credentials) -> Sequence[UpstreamSubscription]:
        return self.known

    def unsubscribe(self, credentials: Credentials, *, native_id: str) -> None:
        self.ended.append(native_id)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Upstream:
    made = Upstream()
    monkeypatch.setattr(demo, "get_provider", lambda key: made)
    return made


@pytest.fixture
def account() -> ProviderAccount:
    return demo.connect_sandbox("http://127.0.0.1:8001", "id", "secret")


def followed(account: ProviderAccount, native_id: str) -> Subscription:
    """An active subscription that the upstream knows under this id."""
    made = lifecycle.create(account, "photowall", "Ada")
    transitions.move(made.pk, State.VERIFYING)
    transitions.move(made.pk, State.ACTIVE, upstream_id=native_id)
    made.refresh_from_db()
    return made


def test_an_admin_in_somebody_elses_database_keeps_their_password() -> None:
    User.objects.create_user("admin", password="their own")
    assert demo.make_admin("the demo's") is False
    admin = User.objects.get(username="admin")
    assert admin.check_password("their own")
    assert not admin.is_superuser


def test_the_admin_is_made_once_and_may_do_everything() -> None:
    first = demo.make_admin("the demo's")
    assert first is True
    assert demo.make_admin("the demo's") is True
    admin = User.objects.get(username="admin")
    assert admin.is_superuser
    assert admin.is_staff
    assert admin.check_password("the demo's")


def test_in_the_embedded_database_a_lost_password_is_made_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    demo.make_admin("forgotten")
    monkeypatch.setitem(
        settings.DATABASES["default"], "NAME", str(settings.VAR / "db.sqlite3")
    )
    assert demo.make_admin("another") is True
    assert User.objects.get(username="admin").check_password("another")


def test_the_analyst_may_read_but_not_log_in() -> None:
    demo.make_analyst("token")
    demo.make_analyst("token")
    analyst = User.objects.get(username="analyst")
    assert not analyst.has_usable_password()
    assert analyst.has_perm("media_archive.view_mediaitem")
    assert not analyst.has_perm("media_archive.change_mediaitem")
    assert ApiToken.objects.filter(user=analyst).count() == 1


def test_a_new_tag_is_to_be_asked_for(
    account: ProviderAccount, upstream: Upstream
) -> None:
    asked = demo.follow(account, "photowall")
    assert asked == [Subscription.objects.get().pk]
    assert demo.follow(account, "photowall") == asked


def test_what_the_sandbox_knows_is_left_alone(
    account: ProviderAccount, upstream: Upstream
) -> None:
    made = followed(account, "7")
    callback = lifecycle.callback_url(made)
    upstream.known = [UpstreamSubscription("7", "tag", "photowall", callback)]
    assert demo.follow(account, "photowall") == []
    assert upstream.ended == []
    made.refresh_from_db()
    assert made.state == State.ACTIVE


def test_what_it_knows_under_another_address_is_ended_there_and_asked_for_again(
    account: ProviderAccount, upstream: Upstream
) -> None:
    made = followed(account, "7")
    elsewhere = "http://127.0.0.1:1/callbacks/"
    upstream.known = [UpstreamSubscription("7", "tag", "photowall", elsewhere)]
    assert demo.follow(account, "photowall") == [made.pk]
    assert upstream.ended == ["7"]
    made.refresh_from_db()
    assert (made.state, made.upstream_id) == (State.REQUESTED, "")


def test_what_it_has_forgotten_or_refused_is_asked_for_again(
    account: ProviderAccount, upstream: Upstream
) -> None:
    made = followed(account, "7")
    assert demo.follow(account, "photowall") == [made.pk]
    assert upstream.ended == []
    transitions.move(made.pk, State.FAILED, reason="no")
    assert demo.follow(account, "photowall") == [made.pk]


def test_a_suspended_one_reads_again(
    account: ProviderAccount, upstream: Upstream
) -> None:
    made = followed(account, "7")
    transitions.move(made.pk, State.SUSPENDED, reason="no")
    assert demo.follow(account, "photowall") == []
    made.refresh_from_db()
    assert made.state == State.ACTIVE


def test_the_account_follows_the_sandbox_to_another_port(
    account: ProviderAccount,
) -> None:
    again = demo.connect_sandbox("http://127.0.0.1:8010", "id", "secret")
    assert again.pk == account.pk
    assert ProviderAccount.objects.get().base_url == "http://127.0.0.1:8010/v1"
