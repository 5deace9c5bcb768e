"""What every check of a provider needs: its documents, and a server that answers so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from subscriptions.providers import get_provider
from subscriptions.providers.base import Credentials, Page, Provider

SECRET = "test-secret-0001"
TAG = "きつね"


class Ground:
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
        httpserver.expect_request(AnyPath()).respond_with_handler(answer)
        page = provider.fetch_page(credentials, tag=TAG, **asked)
        assert len(seen) == 1
        return page, seen[0]


class AnyPath(str):
    """Matches every path."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str)

    __hash__ = str.__hash__
