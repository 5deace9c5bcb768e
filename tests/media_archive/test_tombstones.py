"""What was purged and must not come back."""

from __future__ import annotations

import pytest

from media_archive import tombstones
from media_archive.models import Tombstone
from tests.builders import PROVIDER

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


def test_a_tombstone_stands_for_one_provider_and_id() -> None:
    key = Tombstone.key_of(PROVIDER, "7")
    Tombstone.objects.create(key=key, provider=PROVIDER, item_id=1)

    assert tombstones.entombed(PROVIDER, ["6", "7", "77"]) == {"7"}
    assert tombstones.entombed("mastodon", ["7"]) == set()
    assert tombstones.entombed(PROVIDER, []) == set()
