"""What every provider must do, whatever it speaks.

A provider's test file starts with a subclass of ``ProviderContract``; a check that
all providers share goes in here. The provider under test talks over real HTTP to
``httpserver`` on the loopback, which is allowed as an exact pair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive.errors import OutgoingError, RefusedAddress
from media_archive.records import IncomingMedia
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    ItemGone,
    ProviderError,
    RateLimited,
    SignatureRefused,
    Unreadable,
)
from subscriptions.providers import REGISTRY, get_provider
from subscriptions.providers.base import Credentials, Page, Provider

SECRET = "test-secret-0001"
TAG = "きつね"


class ProviderContract:
    key: ClassVar[str]
    page_with_older: ClassVar[bytes]
    """A page that has media, ``newest`` and ``older``."""
    last_page: ClassVar[bytes]
    empty_page: ClassVar[bytes]
    rate_limited: ClassVar[tuple[int, bytes]]
    auth_refused: ClassVar[tuple[int, bytes]]
    subscribed: ClassVar[bytes]
    """The good answer to a subscribe."""
    notification: ClassVar[bytes]
    item: ClassVar[tuple[str, bytes]] = ("", b"")
    """A post's id, and the answer to asking for it; of providers that read items."""
    item_gone: ClassVar[tuple[int, bytes]] = (404, b"")
    """What the provider answers when it has the post no more."""

    def signed(self, body: bytes, secret: str) -> Mapping[str, str]:
        """The headers that sign ``body``, names in lower case."""
        raise NotImplementedError

    @pytest.fixture
    def provider(self) -> Provider:
        return get_provider(self.key)

    @pytest.fixture
    def credentials(self, httpserver: HTTPServer, settings: Any) -> Credentials:
        settings.PHOTOWALL_PRIVATE_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
        return Credentials(
            base_url=httpserver.url_for("/base").rstrip("/"),
            client_id="CLIENT-ID",
            client_secret=SECRET,
        )

    def fetch(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        body: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **asked: Any,
    ) -> tuple[Page, Request]:
        """Fetch one page that the server answers so; with the request it saw."""
        seen: list[Request] = []

        def answer(request: Request) -> Response:
            seen.append(request)
            return Response(body, status=status, headers=dict(headers or {}))

        httpserver.clear()
        httpserver.expect_request(_Any()).respond_with_handler(answer)
        page = provider.fetch_page(credentials, tag=TAG, **asked)
        assert len(seen) == 1
        return page, seen[0]

    # Identity

    def test_it_is_registered_under_its_key(self, provider: Provider) -> None:
        assert self.key in REGISTRY
        assert provider.key == self.key
        assert provider.label
        assert provider.default_base_url.startswith("https://")
        assert not provider.default_base_url.endswith("/")
        assert isinstance(provider.pushes, bool)
        assert isinstance(provider.leases, bool)
        assert isinstance(provider.reads_items, bool)

    def test_credentials_do_not_show_their_secrets(self) -> None:
        shown = repr(Credentials("https://a.example", "ID", "hunter2", "hunter3"))
        assert "ID" in shown
        assert "hunter" not in shown

    # Signatures: refusals first

    @pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
    def test_without_a_secret_nothing_is_accepted(
        self, provider: Provider, secrets: tuple[str, ...]
    ) -> None:
        with pytest.raises(SignatureRefused):
            provider.verify_signature(
                self.signed(self.notification, ""), self.notification, secrets
            )

    def test_a_missing_or_empty_header_is_refused(self, provider: Provider) -> None:
        signed = self.signed(self.notification, SECRET)
        for headers in ({}, dict.fromkeys(signed, ""), {"x-other": "1"}):
            with pytest.raises(SignatureRefused):
                provider.verify_signature(headers, self.notification, [SECRET])

    def test_a_wrong_secret_or_another_body_is_refused(
        self, provider: Provider
    ) -> None:
        signed = self.signed(self.notification, SECRET)
        provider.verify_signature(signed, self.notification, [SECRET])
        for body, secrets in [
            (self.notification, ["other"]),
            (self.notification + b" ", [SECRET]),
            (b"", [SECRET]),
        ]:
            with pytest.raises(SignatureRefused):
                provider.verify_signature(signed, body, secrets)

    def test_strange_signatures_are_refused(self, provider: Provider) -> None:
        for header, value in self.signed(self.notification, SECRET).items():
            for odd in (
                value[:-1], value + "0", value.upper(), "md5=" + value, "ü" * 40,
                " " + value, f"{value}, {value}", value[::-1], "\x00", "0" * 40,
            ):  # fmt: skip
                with pytest.raises(SignatureRefused):
                    provider.verify_signature(
                        {header: odd}, self.notification, [SECRET]
                    )

    def test_any_of_several_secrets_may_have_signed(self, provider: Provider) -> None:
        for secret in ("old", "new"):
            signed = self.signed(self.notification, secret)
            provider.verify_signature(
                signed, self.notification, ["", "old", "new", "third"]
            )

    # Notifications

    def test_a_notification_is_read(self, provider: Provider) -> None:
        found = provider.parse_notifications(self.notification)
        assert found
        assert all(each.object for each in found)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[1", b'"x"', b"null", b"\x00"])
    def test_an_unreadable_notification_says_so(
        self, provider: Provider, body: bytes
    ) -> None:
        with pytest.raises(Unreadable):
            provider.parse_notifications(body)

    # Pages

    def test_a_page_has_media_and_cursors(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        page, _ = self.fetch(provider, credentials, httpserver, self.page_with_older)
        assert page.media
        assert all(isinstance(item, IncomingMedia) for item in page.media)
        ids = [item.native_id for item in page.media]
        assert len(set(ids)) == len(ids)
        assert isinstance(page.newest, str)
        assert isinstance(page.older, str)

    def test_the_last_page_leads_nowhere(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        page, _ = self.fetch(provider, credentials, httpserver, self.last_page)
        assert page.media
        assert page.older is None

    def test_an_empty_page_is_a_page(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        page, _ = self.fetch(provider, credentials, httpserver, self.empty_page)
        assert (list(page.media), page.older, page.skipped) == ([], None, 0)

    def test_the_tag_arrives_whatever_its_script(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        _, request = self.fetch(provider, credentials, httpserver, self.empty_page)
        assert TAG in request.path or TAG in request.args.to_dict().values()

    # Failures

    def test_too_many_calls_are_rate_limited(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        status, body = self.rate_limited
        for headers, seconds in [({"Retry-After": "17"}, 17.0), ({}, None)]:
            with pytest.raises(RateLimited) as caught:
                self.fetch(provider, credentials, httpserver, body, status, headers)
            assert caught.value.retryable
            assert caught.value.retry_after == seconds

    def test_a_refused_credential_is_not_tried_again(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        status, body = self.auth_refused
        with pytest.raises(AuthRefused) as caught:
            self.fetch(provider, credentials, httpserver, body, status)
        assert not caught.value.retryable

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>It works!</html>",
            b"[]",
            b"null",
            b'{"a":',
            b"\x00",
        ],
    )
    def test_another_format_is_a_bad_answer(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        body: bytes,
    ) -> None:
        with pytest.raises(BadAnswer) as caught:
            self.fetch(provider, credentials, httpserver, body)
        assert caught.value.retryable

    def test_an_answer_cut_off_anywhere_is_an_error_of_ours(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        whole = self.page_with_older.rstrip()
        for length in range(0, len(whole), len(whole) // 20):
            with pytest.raises(BadAnswer):
                self.fetch(provider, credentials, httpserver, whole[:length])
        page, _ = self.fetch(provider, credentials, httpserver, whole)
        assert page.media

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_broken_upstream_is_tried_again(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        status: int,
    ) -> None:
        for body in (b"", b"<html>Oops</html>", b'{"error": "oops"}'):
            with pytest.raises(ProviderError) as caught:
                self.fetch(provider, credentials, httpserver, body, status)
            assert caught.value.retryable

    def test_redirects_are_not_followed(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        with pytest.raises(ProviderError):
            self.fetch(
                provider, credentials, httpserver, b"", 302, {"Location": "/elsewhere"}
            )

    def test_errors_hold_no_secrets(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        for body, status in [(b"", 200), (b"<html>", 500), self.auth_refused[::-1]]:
            with pytest.raises(ProviderError) as caught:
                self.fetch(provider, credentials, httpserver, body, status)
            assert SECRET not in str(caught.value)

    def test_a_private_upstream_is_refused_unless_allowed(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        settings: Any,
    ) -> None:
        settings.PHOTOWALL_PRIVATE_HOSTS = []
        with pytest.raises(RefusedAddress):
            self.fetch(provider, credentials, httpserver, self.empty_page)
        assert httpserver.log == []

    def test_an_upstream_that_is_away_is_an_outgoing_error(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.PHOTOWALL_PRIVATE_HOSTS = ["127.0.0.1:9"]
        with pytest.raises(OutgoingError):
            provider.fetch_page(Credentials("http://127.0.0.1:9"), tag=TAG)

    # One post

    def ask_for(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        body: bytes,
        status: int = 200,
        native_id: str | None = None,
    ) -> IncomingMedia:
        """Ask for one post; the server answers so."""
        httpserver.clear()
        httpserver.expect_request(_Any()).respond_with_data(body, status=status)
        asked = self.item[0] if native_id is None else native_id
        return provider.fetch_item(credentials, native_id=asked)

    def test_who_reads_no_items_says_so(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        if provider.reads_items:
            assert self.item[0]
            return
        with pytest.raises(NotImplementedError):
            self.ask_for(provider, credentials, httpserver, b"{}", native_id="1")
        assert httpserver.log == []

    def test_one_post_is_read_as_in_a_listing(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        if not provider.reads_items:
            return
        native_id, body = self.item
        read = self.ask_for(provider, credentials, httpserver, body)
        assert read.native_id == native_id
        assert read.assets
        assert [read] == list(provider.media_in(json.loads(body)))
        assert len(httpserver.log) == 1
        assert native_id in httpserver.log[0][0].url

    def test_a_post_that_is_gone_is_told_from_an_upstream_in_trouble(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        if not provider.reads_items:
            return
        status, body = self.item_gone
        with pytest.raises(ItemGone) as caught:
            self.ask_for(provider, credentials, httpserver, body, status)
        assert not caught.value.retryable
        status, body = self.rate_limited
        with pytest.raises(RateLimited):
            self.ask_for(provider, credentials, httpserver, body, status)
        status, body = self.auth_refused
        with pytest.raises(AuthRefused):
            self.ask_for(provider, credentials, httpserver, body, status)
        for status in (404, 410, 500):
            with pytest.raises(ProviderError) as other:
                self.ask_for(provider, credentials, httpserver, b"<html>", status)
            assert other.value.retryable

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", b"null", b'{"a":', b'{"data": []}']
    )
    def test_what_is_no_post_is_a_bad_answer(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        body: bytes,
    ) -> None:
        if not provider.reads_items:
            return
        with pytest.raises(BadAnswer):
            self.ask_for(provider, credentials, httpserver, body)

    def test_another_post_than_the_one_asked_for_is_a_bad_answer(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        if not provider.reads_items:
            return
        with pytest.raises(BadAnswer):
            self.ask_for(
                provider, credentials, httpserver, self.item[1], native_id="4711"
            )

    def test_an_id_cannot_leave_its_place_in_the_path(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        if not provider.reads_items:
            return
        with pytest.raises(ProviderError):
            self.ask_for(
                provider, credentials, httpserver, b"", native_id="../subscriptions?a=b"
            )
        uri = httpserver.log[0][0].environ["REQUEST_URI"]
        assert "/subscriptions" not in uri
        assert "a=b" not in uri

    # Subscriptions and their leases

    def test_a_lease_is_told_by_those_who_have_leases_only(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request(_Any()).respond_with_data(self.subscribed)
        made = provider.subscribe(
            credentials,
            tag=TAG,
            callback_url="https://photos.example/callbacks/1/",
            verify_token="token",
        )
        assert made.native_id
        if made.lease_until is None:
            # Then it is told with the challenge, or there is none.
            return
        assert provider.leases
        assert made.lease_until.tzinfo is not None

    # Recorded answers

    def test_recorded_answers_give_their_media(self, provider: Provider) -> None:
        nothings: list[Any] = [None, 5, "x", [], {}, [[]], {"data": 5}]
        for nothing in nothings:
            assert list(provider.media_in(nothing)) == []


class _Any(str):
    """Matches every path."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str)

    __hash__ = str.__hash__
