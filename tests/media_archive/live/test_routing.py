"""Only walls can be listened to; any other address is refused without a fuss."""

from __future__ import annotations

import pytest

from tests.media_archive.live.screens import ORIGIN, TAG, Line, Screen, application

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/nope/", "/ws/wall/nofilter", "/é"])
async def test_another_address_is_refused(path: str) -> None:
    accepted, _ = await Line(application, path, headers=ORIGIN).connect()
    assert not accepted


async def test_a_wall_is_accepted() -> None:
    screen = Screen(TAG, None)
    accepted, _ = await screen.socket.connect()
    assert accepted
    await screen.socket.disconnect()
