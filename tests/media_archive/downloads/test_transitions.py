"""The table of states: every pair of them, and whoever has lost the row."""

from __future__ import annotations

import pytest

from media_archive.downloads import settle
from media_archive.downloads.transitions import (
    TABLE,
    DownloadStepRefused,
    may_become,
    move,
)
from media_archive.errors import ClaimLost
from media_archive.models import (
    OPEN,
    REVIVABLE,
    SETTLED,
    Download,
    DownloadState,
    JournalEntry,
)
from tests.media_archive.downloads.pictures import a_post, the_asset, the_download

pytestmark = pytest.mark.django_db


def in_state(state: DownloadState) -> Download:
    item = a_post("https://pictures.example/a.jpg")
    row = the_download(item)
    Download.objects.filter(pk=row.pk).update(state=state, claim_epoch=7)
    return the_download(item)


def test_every_state_is_in_the_table_and_in_one_group() -> None:
    assert set(TABLE) == set(DownloadState)
    groups = [*OPEN, *SETTLED, DownloadState.REFRESH]
    assert sorted(groups) == sorted(DownloadState)
    assert {*REVIVABLE} <= {*may_become(DownloadState.PENDING)}


@pytest.mark.parametrize("before", DownloadState, ids=str)
def test_only_what_is_in_the_table_can_be_done(before: DownloadState) -> None:
    pk = in_state(before).pk
    for after in DownloadState:
        Download.objects.update(state=before, reason="", detail="")
        row = Download.objects.get(pk=pk)
        if after in TABLE[before]:
            move(row, after, reason="why", detail="Because.")
            now = Download.objects.get()
            assert (now.state, now.reason, now.detail) == (after, "why", "Because.")
            assert row.state == after
        else:
            with pytest.raises(DownloadStepRefused):
                move(row, after)
            assert Download.objects.get().state == row.state == before


@pytest.mark.also_on_sqlite
def test_who_has_lost_the_row_changes_nothing() -> None:
    row = in_state(DownloadState.FETCHING)
    Download.objects.update(claim_epoch=8)
    with pytest.raises(ClaimLost):
        move(row, DownloadState.STORED)
    with pytest.raises(ClaimLost):
        settle(row, DownloadState.GONE, reason="gone")
    assert Download.objects.get().state == DownloadState.FETCHING
    assert not JournalEntry.objects.filter(kind="pictured").exists()
    assert row.asset is not None
    assert the_asset(row.asset.item).state == DownloadState.PENDING
    row.claim_epoch = 8
    assert settle(row, DownloadState.GONE, reason="gone"), "whose it is may"
    assert the_asset(row.asset.item).state == DownloadState.GONE


def test_a_state_that_somebody_else_has_changed_is_not_overwritten() -> None:
    row = in_state(DownloadState.FETCHING)
    Download.objects.update(state=DownloadState.PENDING)
    with pytest.raises(ClaimLost):
        move(row, DownloadState.STORED)
    assert Download.objects.get().state == DownloadState.PENDING


def test_what_is_long_is_cut() -> None:
    row = in_state(DownloadState.FETCHING)
    move(row, DownloadState.RETRY_WAIT, detail="x" * 1_000)
    assert Download.objects.get().detail == "x" * 300
