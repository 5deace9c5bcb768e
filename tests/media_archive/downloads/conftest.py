"""A site whose pictures are downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from pytest_httpserver.httpserver import URIPattern

from tests.media_archive.downloads.pictures import Site


class _Any(URIPattern):
    def match(self, uri: str) -> bool:
        return True


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    made = Site()
    # Threads, so that a picture held back keeps no other worker waiting.
    with HTTPServer(port=0, threaded=True) as server:
        made.url = server.url_for("").rstrip("/")
        settings.PHOTOWALL_PRIVATE_HOSTS = [urlsplit(made.url).netloc]
        server.expect_request(_Any()).respond_with_handler(made.answer)
        yield made
