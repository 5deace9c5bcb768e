"""What is kept of the pictures: each kind of damage is seen, none is invented."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from media_archive import files
from media_archive.models import (
    Download,
    DownloadState,
    MediaAsset,
    Role,
    StoredFile,
)
from photowall.rehearsal import kept
from photowall.rehearsal.sheet import Sheet
from subscriptions.models import Subscription
from tests.builders import a_record, store
from tests.subscriptions.upstream import a_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription() -> Subscription:
    """Of #nofilter, with two archived posts whose pictures wait."""
    store([a_record("11"), a_record("12")], listed_under="nofilter")
    return a_subscription("nofilter")


def bring(native_id: str, content: bytes, folder: Path, true: bool = True) -> str:
    """The post's picture is kept; the hash of ``content``."""
    path = folder / native_id
    path.write_bytes(content if true else b"something else")
    sha256 = hashlib.sha256(content).hexdigest()
    name = files.original_name(sha256, "image/jpeg")
    files.put(name, path)
    file = StoredFile.objects.create(
        sha256=sha256, name=name, content_type="image/jpeg", size=len(content)
    )
    MediaAsset.objects.filter(item__native_id=native_id).update(picture=file)
    end(native_id, DownloadState.READY)
    return sha256


def end(native_id: str, state: DownloadState, reason: str = "", why: str = "") -> None:
    Download.objects.filter(asset__item__native_id=native_id, role=Role.PICTURE).update(
        state=state, reason=reason, detail=why
    )


def test_what_is_on_its_way_is_waited_for(subscription: Subscription) -> None:
    assert not kept.are_settled(subscription)
    assert sorted(kept.gather(subscription, {}).waiting) == ["11", "12"]


def test_kept_and_refused(subscription: Subscription, tmp_path: Path) -> None:
    true = bring("11", b"a fox", tmp_path)
    end("12", DownloadState.REJECTED, "not_an_image", "It is a page for people.")
    found = kept.gather(subscription, {"11": ["0" * 64, true]})
    assert (found.kept, dict(found.refused)) == (1, {"not_an_image": 1})
    assert (found.waiting, found.wrong, found.unexplained) == ([], [], [])
    assert kept.are_settled(subscription)


def test_another_picture_than_was_served_and_a_damaged_file_are_named(
    subscription: Subscription, tmp_path: Path
) -> None:
    bring("11", b"a fox", tmp_path)
    true = bring("12", b"an owl", tmp_path, true=False)
    found = kept.gather(subscription, {"11": [true], "12": [true]})
    assert (found.kept, sorted(found.wrong)) == (0, ["11", "12"])


def test_who_is_refused_without_a_reason_is_named(subscription: Subscription) -> None:
    end("11", DownloadState.FAILED, "timeout")
    found = kept.gather(subscription, {})
    assert found.unexplained == ["11"]


def test_what_waits_for_hours_is_brought_forward(subscription: Subscription) -> None:
    later = timezone.now() + timedelta(hours=12)
    Download.objects.update(state=DownloadState.RETRY_WAIT, next_attempt_at=later)
    assert not Download.objects.due().exists()
    kept.hasten(subscription)
    assert Download.objects.due().filter(role=Role.PICTURE).count() == 2


def failing(sheet: Sheet) -> set[str]:
    return {name for name, holds in sheet.checks.items() if not holds}


def test_the_sheet_judges_pictures_where_they_matter() -> None:
    sheet = Sheet("bad_pictures", "rehearsal1", 7, 60.0)
    assert "pictures kept" not in sheet.checks
    sheet.pictures = kept.Kept(kept=3)
    assert "refused for a reason" not in failing(sheet)
    sheet.pictures.refused["not_an_image"] = 2
    assert "refused for a reason" in failing(sheet)
    sheet.may_refuse = True
    assert "refused for a reason" not in failing(sheet)
    assert "not_an_image 2" in sheet.text()
    sheet.pictures.wrong.append("17")
    sheet.pictures.waiting.append("18")
    sheet.pictures.unexplained.append("19")
    for check in ("their bytes are true", "pictures kept", "refused for a reason"):
        assert check in failing(sheet)
    assert all(word in sheet.text() for word in ("17", "18", "19"))
    assert sheet.document()["pictures"]["wrong"] == ["17"]
