"""Faults of Redis: away, hanging, empty, full."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.faults.kinds import Scene, kind


@kind(lasts=(3.0, 8.0))
def redis_down(scene: Scene) -> Iterator[None]:
    """Killed, and empty when it is back."""
    scene.instance.broker.process.kill9()
    yield
    scene.instance.heal()


@kind(lasts=(3.0, 8.0))
def redis_hanging(scene: Scene) -> Iterator[None]:
    """It takes connections and answers nothing."""
    scene.instance.broker.process.hang()
    yield
    scene.instance.broker.process.go_on()


@kind(lasts=(0.2, 1.0))
def redis_restarted_empty(scene: Scene) -> Iterator[None]:
    """Gone for a moment, with everything in it."""
    scene.instance.publish(scene.chance.randint(1, 5))
    scene.instance.broker.process.kill9()
    scene.instance.broker.process.start()
    yield


@kind(lasts=(0.2, 1.0))
def redis_flushed_at_random(scene: Scene) -> Iterator[None]:
    """Emptied again and again while everybody is connected."""
    for _ in range(scene.chance.randint(5, 15)):
        scene.instance.publish(1)
        scene.wait(0.0, 0.4)
        scene.instance.broker.flush()
    yield
    scene.instance.broker.flush()


@kind(lasts=(2.0, 6.0))
def redis_full(scene: Scene) -> Iterator[None]:
    """Every write is refused."""
    scene.instance.broker.limit_memory("1")
    yield
    scene.instance.broker.limit_memory("0")


@kind(lasts=(0.2, 1.0))
def redis_connections_cut(scene: Scene) -> Iterator[None]:
    """All connections are closed, again and again."""
    ends = time.monotonic() + scene.chance.uniform(2, 4)
    while time.monotonic() < ends:
        scene.instance.broker.cut_connections()
        scene.wait(0.05, 0.4)
    yield
