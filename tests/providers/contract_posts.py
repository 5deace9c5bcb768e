"""What every provider must do that is asked for one post."""

from __future__ import annotations

import json

import pytest
from pytest_httpserver import HTTPServer

from media_archive.records import IncomingMedia
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    ItemGone,
    ProviderError,
    RateLimited,
)
from subscriptions.providers.base import Credentials, Provider
from tests.providers.contract_ground import AnyPath, Ground


class PostContract(Ground):
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
        httpserver.expect_request(AnyPath()).respond_with_data(body, status=status)
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
