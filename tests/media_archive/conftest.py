"""What the tests of the archive share."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada's browser."""
    client.force_login(ada)
    return client
