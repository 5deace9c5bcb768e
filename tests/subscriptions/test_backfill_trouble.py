"""A backfill whose database goes away is given back as soon as it is there again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from media_archive import claims, ingest
from subscriptions import backfilling
from subscriptions.models import Backfill, BackfillState
from tests.subscriptions.past import a_past, go_on
from tests.subscriptions.upstream import Upstream, a_subscription

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_given_back_when_the_database_is_there_again(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_past(upstream, 40)
    backfill = backfilling.start(a_subscription())
    release = claims.release
    away = iter([True, True, False])

    def back_soon(*given: Any, **changes: Any) -> bool:
        if next(away):
            raise OperationalError("the connection is refused")
        return release(*given, **changes)

    def refuse(*_: object, **__: object) -> Any:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store", refuse)
        patch.setattr(claims, "release", back_soon)
        patch.setattr("time.sleep", lambda _: None)
        with pytest.raises(OperationalError):
            go_on(backfill)
    backfill = Backfill.objects.get()
    assert backfill.claim_until is None
    assert (backfill.state, backfill.failures) == (BackfillState.RUNNING, 0)
    assert go_on(backfill).items == 40
