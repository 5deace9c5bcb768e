"""A living worker keeps its download; a lost one does not keep it long."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from media_archive import claims
from media_archive.downloads import holding
from media_archive.models import Download
from tests.media_archive.downloads.pictures import a_post, the_download


def claimed() -> Download:
    row = the_download(a_post("http://h/1"))
    assert claims.claim(Download.objects.due(), row.pk, 5) is not None
    row.refresh_from_db()
    return row


def left(row: Download) -> timedelta:
    row.refresh_from_db()
    assert row.claim_until is not None
    return row.claim_until - timezone.now()


@pytest.mark.django_db(transaction=True)
def test_a_claim_lasts_as_long_as_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    prolonged = threading.Event()
    beat = holding.prolong

    def told(pk: int, epoch: int) -> bool:
        done = beat(pk, epoch)
        prolonged.set()
        return done

    monkeypatch.setattr(holding, "RENEW_EVERY", 0.01)
    monkeypatch.setattr(holding, "prolong", told)
    row = claimed()
    assert left(row) < timedelta(seconds=6)
    with holding.held(row):
        assert prolonged.wait(10)
    assert left(row) > timedelta(seconds=30)


@pytest.mark.django_db
def test_what_was_given_back_or_taken_over_is_not_held_again() -> None:
    row = claimed()
    assert holding.prolong(row.pk, row.claim_epoch)
    assert not holding.prolong(row.pk, row.claim_epoch - 1)
    claims.release(Download.objects.all(), row.pk, row.claim_epoch)
    assert not holding.prolong(row.pk, row.claim_epoch)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_hangs_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []
    monkeypatch.setattr(holding, "RENEW_EVERY", 0.01)
    monkeypatch.setattr(holding, "LONGEST", 0.05)
    monkeypatch.setattr(holding, "prolong", lambda pk, epoch: beats.append(pk))
    with holding.held(claimed()):
        for beat in threading.enumerate():
            if beat.name.startswith("hold-"):
                beat.join(10)
                assert not beat.is_alive()
    assert 1 <= len(beats) <= 6
