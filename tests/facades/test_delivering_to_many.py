"""Many receivers, workers and posts at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import journal, outgoing_http
from photowall.facades import deliveries
from photowall.facades.models import (
    Delivery,
    DeliveryState,
    Endpoint,
)
from photowall.facades.tasks import deliver_endpoint, reconcile
from tests.builders import some_items
from tests.facades.waiting import close_connection, wait_until

MakeEndpoint = Callable[..., Endpoint]


@pytest.mark.django_db(transaction=True)
def test_one_endpoint_alone_is_told_when_it_is_asked_for(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/ok").respond_with_data("")
    one = an_endpoint(receiver.url_for("/ok?1"))
    other = an_endpoint(receiver.url_for("/ok?2"))
    some_items(1, tags=["fox"])
    deliver_endpoint(one.pk)
    told = Delivery.objects.filter(state=DeliveryState.DELIVERED)
    assert wait_until(told.exists)
    assert Delivery.objects.get().endpoint == one
    reconcile()
    assert wait_until(lambda: told.filter(endpoint=other).exists())


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_deliver_once(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    def slowly(_: Request) -> Response:
        time.sleep(0.2)
        return Response("")

    receiver.expect_request("/ok").respond_with_handler(slowly)
    endpoint = an_endpoint(receiver.url_for("/ok"))
    some_items(3, tags=["fox"])
    start = threading.Barrier(4)

    def worker() -> None:
        try:
            start.wait(5)
            deliveries.work_off(endpoint.pk)
        finally:
            close_connection()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(receiver.log) == 1
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_a_dead_receiver_delays_only_itself(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It hangs until it is let go, however slow this machine is.
    limits = replace(outgoing_http.DELIVERY, read=120, total=120)
    monkeypatch.setattr(outgoing_http, "DELIVERY", limits)
    monkeypatch.setattr("photowall.facades.sending.HOLD", 240)
    let_go = threading.Event()

    def hang(_: Request) -> Response:
        let_go.wait(120)
        return Response("")

    receiver.expect_request("/dead").respond_with_handler(hang)
    receiver.expect_request("/good").respond_with_data("")
    dead = an_endpoint(receiver.url_for("/dead"))
    good = an_endpoint(receiver.url_for("/good"))
    try:
        for number in range(1, 4):
            some_items(1, tags=["fox"])
            deliveries.deliver_due()
            # It came back, and not because the dead one had answered.
            assert not let_go.is_set()
            told = Delivery.objects.filter(endpoint=good, state=DeliveryState.DELIVERED)
            assert wait_until(lambda: told.count() == number)  # noqa: B023
        assert Delivery.objects.get(endpoint=dead).state == DeliveryState.PENDING
    finally:
        let_go.set()
    # What came while it hung is told as well, in one.
    told = Delivery.objects.filter(endpoint=dead, state=DeliveryState.DELIVERED)
    assert wait_until(lambda: told.count() == 2)
    dead.refresh_from_db()
    assert dead.cursor == journal.head()


@pytest.mark.django_db(transaction=True)
def test_everything_published_is_announced_after_it_was_published(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    """However the announcements are put together, one comes after the last item."""
    heads: list[int] = []

    def look(_: Request) -> Response:
        try:
            heads.append(journal.head())
        finally:
            close_connection()
        return Response("")

    receiver.expect_request("/ok").respond_with_handler(look)
    endpoint = an_endpoint(receiver.url_for("/ok"))
    stop = threading.Event()

    def deliver() -> None:
        try:
            while not stop.is_set():
                deliveries.deliver_due()
                time.sleep(0.01)
        finally:
            close_connection()

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        for _ in range(40):
            some_items(1, tags=["fox"])
        told = Endpoint.objects.filter(pk=endpoint.pk, cursor=40)
        assert wait_until(told.exists)
        assert wait_until(lambda: not Delivery.objects.open().exists())
    finally:
        stop.set()
        thread.join(10)
    assert heads[-1] == 40
    assert 1 <= len(heads) <= 40
    assert not Delivery.objects.exclude(state=DeliveryState.DELIVERED).exists()


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_deleted_while_it_is_told_leaves_nothing_behind(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    def delete(_: Request) -> Response:
        try:
            Endpoint.objects.all().delete()
        finally:
            close_connection()
        return Response("")

    receiver.expect_request("/ok").respond_with_handler(delete)
    endpoint = an_endpoint(receiver.url_for("/ok"))
    some_items(1, tags=["fox"])
    deliveries.work_off(endpoint.pk)
    assert len(receiver.log) == 1
    assert not Delivery.objects.exists()
