"""Downloads in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from media_archive.models import Download, DownloadState
from tests.builders import a_post, an_item, settle, some_items
from tests.media_archive.at_the_desk import may, text_of

pytestmark = pytest.mark.django_db
LIST = "/admin/media_archive/mediaitem/"
DOWNLOADS = "/admin/media_archive/download/"
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_what_is_not_kept_says_why_and_can_be_tried_again(
    desk: Client, client: Client, vera: User
) -> None:
    item = an_item()
    settle(item, "failed")
    row = Download.objects.get(asset__item=item)
    Download.objects.filter(pk=row.pk).update(
        state=DownloadState.FAILED, reason="timeout", detail=EVIL
    )
    address = f"{LIST}{item.pk}/change/"
    for place in (address, DOWNLOADS):
        page = text_of(desk.get(place))
        assert ">Given up</span>" in page
        assert "Its source did not answer in time." in page
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert f'name="again" value="{row.pk}"' in page
        assert " style=" not in page

    client.force_login(may(vera, "view_mediaitem", "view_download"))
    for place in (address, DOWNLOADS):
        assert 'name="again"' not in text_of(client.get(place))
        client.post(place, {"again": row.pk})
        row.refresh_from_db()
        assert row.state == DownloadState.FAILED

    client.force_login(User.objects.get(username="ada"))
    answer = client.post(address, {"again": row.pk}, follow=True)
    assert "1 file is tried again." in text_of(answer)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (DownloadState.PENDING, 0)
    again = text_of(client.post(DOWNLOADS, {"again": row.pk}, follow=True))
    assert "0 files are tried again. 1 is kept or on its way." in again


def test_downloads_are_counted_filtered_and_tried_again_together(
    desk: Client,
) -> None:
    a_post()
    for item in some_items(3):
        rows = Download.objects.filter(asset__item=item)
        rows.update(state=DownloadState.GONE, reason="gone")
    page = text_of(desk.get(DOWNLOADS))
    counted = re.findall(r"<strong>(\d+)</strong> <progress", page)
    assert len(counted) == 4
    assert counted[0] == "1"
    assert counted[3] == "3"
    gone = text_of(desk.get(f"{DOWNLOADS}?state__exact=gone&reason=gone"))
    keys = re.findall(r'_selected_action" value="(\d+)"', gone)
    assert len(keys) == 3
    chosen = {"action": "try_again", "_selected_action": keys[:2]}
    assert "2 files are tried again." in text_of(
        desk.post(DOWNLOADS, chosen, follow=True)
    )
    assert Download.objects.filter(state=DownloadState.GONE).count() == 1
