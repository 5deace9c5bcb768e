"""People, and what every test finds as it should be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from rest_framework.test import APIClient

from media_archive.models import ApiToken
from photowall.up.suite import MARK
from tests import emptying

emptying.install()
_FOLDERS = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`manage.py test` looks for tests that run on SQLite too only in files that name
    the mark: a test that has it from elsewhere would silently be left out."""
    marked = {item.path for item in items if item.get_closest_marker(MARK)}
    nameless = [path for path in marked if MARK not in path.read_text("utf-8")]
    if nameless:
        raise pytest.UsageError(f"{nameless[0]} has marked tests: name {MARK} in it.")


@pytest.fixture(autouse=True)
def _passwords_are_quick(settings: Any) -> None:
    """A slow hash protects people; here are none."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _counters_start_at_zero() -> Iterator[None]:
    """Throttles count in the cache."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _files_are_the_tests_own(settings: Any, tmp_path_factory: Any) -> None:
    """What a test keeps nobody else finds; the folder appears with the first file."""
    number = next(_FOLDERS)
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / f"media-{number}"


@pytest.fixture
def ada(db: None) -> User:
    """The admin: may everything."""
    return User.objects.create_superuser("ada", "ada@example.org", "lovelace-1815")


@pytest.fixture
def vera(db: None) -> User:
    """The viewer: has an account, and no permission at all."""
    return User.objects.create_user("vera", "vera@example.org", "rubin-1928-rubin")


@pytest.fixture
def anton(db: None) -> User:
    """The analyst: may read the archive."""
    user = User.objects.create_user("anton", "anton@example.org", "chekhov-1860-c")
    user.user_permissions.add(
        Permission.objects.get(
            content_type__app_label="media_archive", codename="view_mediaitem"
        )
    )
    return user


@pytest.fixture
def anton_token(anton: User) -> str:
    """What Anton was shown when his token was made."""
    return ApiToken.make(anton, "notebook")[1]


@pytest.fixture
def api(anton_token: str) -> APIClient:
    """Asks the API as Anton, with his token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {anton_token}")
    return client


@pytest.fixture
def stranger() -> APIClient:
    """Asks the API without saying who it is."""
    return APIClient()


@pytest.fixture
def answer_of(api: APIClient) -> Any:
    """Asks the media list and returns the document of a 200."""

    def ask(**parameters: Any) -> dict[str, Any]:
        response = api.get("/api/v1/media/", parameters)
        assert response.status_code == 200, response.content
        document: dict[str, Any] = response.json()
        return document

    return ask
