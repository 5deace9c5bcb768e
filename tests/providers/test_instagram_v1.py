from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from subscriptions import errors
from subscriptions.errors import BadAnswer, ProviderError, SignatureRefused
from subscriptions.providers.base import (
    Credentials,
    Provider,
    Quota,
    UpstreamSubscription,
)
from subscriptions.providers.instagram_v1.wire import signatures
from tests.providers import instagram_v1_documents as documents
from tests.providers.contract import SECRET, TAG, ProviderContract

WALL = "https://wall.example.org/callback"


class TestInstagramV1(ProviderContract):
    key = "instagram_v1"
    page_with_older = documents.body("tag_recent_page1.json")
    last_page = documents.body("tag_recent_page2_last.json")
    empty_page = documents.body("tag_recent_unknown_tag.json")
    rate_limited = (429, documents.body("errors/rate_limit_429_no_meta.json"))
    auth_refused = (400, documents.body("errors/invalid_access_token_400.json"))
    subscribed = documents.body("subscription_created_tag.json")
    notification = documents.body("notification_tag_2014.json")
    item = (documents.RED_FOX[0], documents.body("media_image.json"))
    item_gone = (400, documents.body("errors/media_not_found_400.json"))

    def signed(self, body: bytes, secret: str) -> Mapping[str, str]:
        return {"x-hub-signature": signatures.sign_body(secret, body)}

    # Pages

    def test_what_is_asked_of_a_tag(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        _, request = self.fetch(
            provider,
            credentials,
            httpserver,
            self.empty_page,
            since="AQ==",
            older="5",
            count=10,
        )
        assert request.path == f"/base/tags/{TAG}/media/recent"
        assert "%E3%81%8D" in request.environ["REQUEST_URI"]
        assert request.args.to_dict() == {
            "client_id": "CLIENT-ID",
            "count": "10",
            "min_tag_id": "AQ==",
            "max_tag_id": "5",
        }

    def test_a_token_is_sent_instead_of_the_client_id_and_never_the_secret(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        credentials = replace(credentials, access_token="TOKEN")
        _, request = self.fetch(
            provider, credentials, httpserver, self.empty_page, since="", older=None
        )
        assert request.args.to_dict() == {"access_token": "TOKEN", "count": "33"}

    @pytest.mark.parametrize(("count", "asked"), [(1000, "33"), (0, "1"), (-5, "1")])
    def test_count_stays_in_its_bounds(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        count: int,
        asked: str,
    ) -> None:
        _, request = self.fetch(
            provider, credentials, httpserver, self.empty_page, count=count
        )
        assert request.args["count"] == asked

    def test_a_tag_cannot_leave_its_place_in_the_path(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request("/other").respond_with_data(self.page_with_older)
        with pytest.raises(ProviderError):
            provider.fetch_page(credentials, tag="../../other?x=1#")
        uri = httpserver.log[0][0].environ["REQUEST_URI"]
        assert uri.startswith("/base/tags/..%2F..%2Fother%3Fx%3D1%23/media/recent?")

    def test_next_url_is_never_called(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        elsewhere = httpserver.url_for("/elsewhere?max_tag_id=77&access_token=T")
        body = {"data": [], "pagination": {"next_url": elsewhere}}
        page, _ = self.fetch(
            provider, credentials, httpserver, json.dumps(body).encode()
        )
        assert page.older == "77"
        assert [request.path for request, _ in httpserver.log] == [
            f"/base/tags/{TAG}/media/recent"
        ]

    def test_the_budget_comes_with_the_page(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        headers = {"X-Ratelimit-Limit": "5000", "X-Ratelimit-Remaining": "4711"}
        page, _ = self.fetch(
            provider, credentials, httpserver, self.empty_page, headers=headers
        )
        assert page.quota == Quota(5000, 4711)
        page, _ = self.fetch(provider, credentials, httpserver, self.empty_page)
        assert page.quota == Quota(None, None)

    # One post

    def test_a_post_is_asked_for_by_its_id(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        self.ask_for(provider, credentials, httpserver, self.item[1])
        request = httpserver.log[0][0]
        assert request.path == f"/base/media/{self.item[0]}"
        assert request.args.to_dict() == {"client_id": "CLIENT-ID"}

    def test_a_post_that_is_shown_to_us_no_more_is_gone_for_us(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        body = documents.body("errors/private_400.json")
        with pytest.raises(errors.ItemGone, match="cannot view"):
            self.ask_for(provider, credentials, httpserver, body, 400)

    # Errors, as recorded

    @pytest.mark.parametrize("name", documents.ERRORS)
    def test_each_recorded_error_is_a_leaf(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        name: str,
    ) -> None:
        code, _, message, leaf = documents.ERRORS[name]
        for status in (code, 200):
            with pytest.raises(ProviderError) as caught:
                self.fetch(
                    provider, credentials, httpserver, documents.body(name), status
                )
            assert type(caught.value) is getattr(errors, leaf)
            assert caught.value.message.startswith(message)

    @pytest.mark.parametrize(
        ("status", "body", "leaf"),
        [
            (420, b"", "RateLimited"),
            (200, b'{"code": 420}', "RateLimited"),
            (503, b"<html>", "RateLimited"),
            (401, b"<html>", "AuthRefused"),
            (403, b"<html>", "BadAnswer"),
            (404, b"<html>", "BadAnswer"),
            (502, b"", "BadAnswer"),
            (500, b'{"code":500,"error_type":"APIError"}', "ProviderError"),
            (500, b'{"code":500,"error_type":"OAuthException"}', "ProviderError"),
            (200, b'{"meta":{"code":200}}', "BadAnswer"),
        ],
    )  # fmt: skip
    def test_other_errors(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        status: int,
        body: bytes,
        leaf: str,
    ) -> None:
        with pytest.raises(ProviderError) as caught:
            self.fetch(provider, credentials, httpserver, body, status)
        assert type(caught.value) is getattr(errors, leaf)

    def test_upstream_texts_are_blanked_and_cut(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        said = f"Bad https://a.b/?client_secret={SECRET}&x=\n<b>" + "x" * 5_000
        body = json.dumps(
            {"meta": {"code": 400, "error_type": "E", "error_message": said}}
        )
        with pytest.raises(ProviderError) as caught:
            self.fetch(provider, credentials, httpserver, body.encode(), 400)
        assert SECRET not in caught.value.message
        assert "\n" not in caught.value.message
        assert len(caught.value.message) == 300

    # Subscriptions

    def serve(
        self, httpserver: HTTPServer, body: bytes, status: int = 200
    ) -> list[Any]:
        seen: list[Request] = []

        def answer(request: Request) -> Response:
            seen.append(request)
            return Response(body, status=status)

        httpserver.expect_request("/base/subscriptions").respond_with_handler(answer)
        return seen

    def subscribe(
        self, provider: Provider, credentials: Credentials
    ) -> UpstreamSubscription:
        return provider.subscribe(
            credentials, tag=TAG, callback_url=WALL, verify_token="tok-7f3a"
        )

    def test_subscribing_is_a_form_and_its_answer_an_id(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        seen = self.serve(httpserver, documents.body("subscription_created_tag.json"))
        made = self.subscribe(provider, credentials)
        assert made == UpstreamSubscription("18234411", "tag", "fox", WALL)
        (request,) = seen
        assert request.method == "POST"
        assert request.query_string == b""
        assert request.content_type == "application/x-www-form-urlencoded"
        assert request.form.to_dict() == {
            "client_id": "CLIENT-ID",
            "client_secret": SECRET,
            "object": "tag",
            "aspect": "media",
            "object_id": TAG,
            "verify_token": "tok-7f3a",
            "callback_url": WALL,
        }

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"{}",
            b'{"data":null}',
            b'{"data":{}}',
            b'{"data":{"id":""}}',
        ],
    )
    def test_an_answer_without_an_id_is_no_subscription(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        body: bytes,
    ) -> None:
        self.serve(httpserver, body)
        with pytest.raises(BadAnswer):
            self.subscribe(provider, credentials)

    def test_a_refused_subscription_is_told_in_the_providers_words(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        name = "errors/subscription_unreachable_callback_400.json"
        self.serve(httpserver, documents.body(name), 400)
        with pytest.raises(
            errors.SubscriptionRefused, match="Unable to reach"
        ) as caught:
            self.subscribe(provider, credentials)
        assert not caught.value.retryable

    def test_subscriptions_are_listed(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        seen = self.serve(httpserver, documents.body("subscriptions_list.json"))
        found = provider.subscriptions(credentials)
        assert [each.native_id for each in found] == ["1", "2"]
        assert seen[0].args.to_dict() == {
            "client_id": "CLIENT-ID",
            "client_secret": SECRET,
        }

    def test_a_list_that_is_none_is_a_bad_answer(
        self, provider: Provider, credentials: Credentials, httpserver: HTTPServer
    ) -> None:
        self.serve(httpserver, b'{"meta":{"code":200},"data":null}')
        with pytest.raises(BadAnswer):
            provider.subscriptions(credentials)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, documents.body("subscription_deleted.json")),
            (204, b""),
            (404, b""),
            (404, b"<html>"),
            (400, documents.body("errors/media_not_found_400.json")),
            (200, documents.body("errors/media_not_found_400.json")),
            (
                400,
                b'{"code":400,"error_type":"X","error_message":"Id not found."}',
            ),
        ],
    )
    def test_ending_succeeds_also_if_it_is_gone(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        status: int,
        body: bytes,
    ) -> None:
        seen = self.serve(httpserver, body, status)
        provider.unsubscribe(credentials, native_id="18234411")
        assert seen[0].method == "DELETE"
        assert seen[0].args["id"] == "18234411"

    @pytest.mark.parametrize(
        ("name", "leaf"),
        [
            ("errors/subscription_bad_client_400.json", "SubscriptionRefused"),
            ("errors/rate_limit_429_no_meta.json", "RateLimited"),
            ("errors/signature_mismatch_403_no_meta.json", "AuthRefused"),
        ],
    )
    def test_ending_fails_for_other_reasons(
        self,
        provider: Provider,
        credentials: Credentials,
        httpserver: HTTPServer,
        name: str,
        leaf: str,
    ) -> None:
        self.serve(httpserver, documents.body(name), documents.ERRORS[name][0])
        with pytest.raises(getattr(errors, leaf)):
            provider.unsubscribe(credentials, native_id="18234411")

    # Signatures

    @pytest.mark.parametrize("value", ["sha1=", "sha256=", "SHA1="])
    def test_a_prefix_is_not_of_this_api(self, provider: Provider, value: str) -> None:
        signed = signatures.sign_body(SECRET, self.notification)
        with pytest.raises(SignatureRefused):
            provider.verify_signature(
                {"x-hub-signature": value + signed}, self.notification, [SECRET]
            )
