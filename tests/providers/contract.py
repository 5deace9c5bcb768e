"""What every provider must do, whatever it speaks.

A provider's test file starts with a subclass of ``ProviderContract``; a check that
all providers share goes in here. The provider under test talks over real HTTP to
``httpserver`` on the loopback, which is allowed as an exact pair.
"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from media_archive.errors import OutgoingError, RefusedAddress
from media_archive.records import IncomingMedia
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    ProviderError,
    RateLimited,
    SignatureRefused,
    Unreadable,
)
from subscriptions.providers import REGISTRY
from subscriptions.providers.base import Credentials, Provider
from tests.providers.contract_ground import SECRET, TAG, AnyPath
from tests.providers.contract_posts import PostContract

__all__ = ["SECRET", "TAG", "ProviderContract"]


class ProviderContract(PostContract):
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

    # Subscriptions and their leases

    def test_a_lease_is_told_by_those_who_have_leases_only(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request(AnyPath()).respond_with_data(self.subscribed)
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
