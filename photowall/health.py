"""``/healthz`` (alive) and ``/readyz`` (database, broker, backlog).

Neither names hosts or versions.
"""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from media_archive import disk_space
from subscriptions.models import Feed


def alive(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503. Without the broker, or without room for
    pictures, the state is *degraded*: photos come later, none is lost, so the status
    stays 200.

    ``backlog`` counts the feeds that have something to read.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        backlog = Feed.objects.due().count()
    except DatabaseError:
        return JsonResponse({"state": "unready", "database": False}, status=503)
    broker, room = _broker_answers(), not disk_space.is_full()
    return JsonResponse(
        {
            "state": "ready" if broker and room else "degraded",
            "database": True,
            "broker": broker,
            "room": room,
            "backlog": backlog,
        }
    )


def _broker_answers() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
