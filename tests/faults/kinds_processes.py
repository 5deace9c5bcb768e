"""Faults of our own processes: killed, stopped, replaced, twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from threading import Event, Thread

from tests.faults.kinds import POSTGRESQL, Scene, kind

CLAIMED = "SELECT 1 FROM subscriptions_feed WHERE claim_until IS NOT NULL"
BETWEEN_PAGES = "SELECT 1 FROM subscriptions_gap WHERE closed_at IS NULL AND pages > 0"
PAGES = (70, 120)
"""So many posts are three or four pages."""


@kind(loaded=False, lasts=(0.2, 1.5))
def web_kill9_after_200(scene: Scene) -> Iterator[None]:
    """The answer is out, and the next moment the process is gone."""
    for _ in range(scene.chance.randint(1, 8)):
        scene.notifier.send()
    scene.instance.web.kill9()
    yield
    scene.instance.heal()


@kind(lasts=(0.2, 1.5))
def web_kill9_under_load(scene: Scene) -> Iterator[None]:
    """In the middle of whatever it does."""
    storm = Thread(target=scene.notifier.storm, args=(1.5, 8), daemon=True)
    storm.start()
    scene.wait(0.3, 1.2)
    scene.instance.web.kill9()
    yield
    storm.join()
    scene.instance.heal()


@kind(lasts=(0.2, 1.0))
def web_restart_rolling(scene: Scene) -> Iterator[None]:
    """A new web process takes over under load; the old one is asked to end."""
    instance = scene.instance
    old = instance.web
    new = instance.new_web("web2" if old.name == "web" else "web")
    new.start()
    over = Event()
    storm = Thread(target=_steady, args=(scene, over), daemon=True)
    storm.start()
    scene.wait(0.2, 0.8)
    instance.take_over(new)
    old.stop(20)
    yield
    over.set()
    storm.join()
    instance.heal()


def _steady(scene: Scene, over: Event) -> None:
    while not over.is_set():
        scene.notifier.storm(0.5, 4)


@kind(lasts=(0.2, 1.0))
def web_hanging(scene: Scene) -> Iterator[None]:
    """The web process takes connections and answers nothing."""
    scene.instance.web.hang()
    scene.wait(1.0, 4.0)
    yield
    scene.instance.web.go_on()


@kind(lasts=(0.2, 1.5))
def worker_kill9_mid_fetch(scene: Scene) -> Iterator[None]:
    """It holds a claim, and is gone."""
    scene.instance.publish(scene.chance.randint(1, 5))
    scene.until(CLAIMED, 10)
    scene.wait(0.0, 0.1)
    scene.instance.worker.kill9()
    yield
    scene.instance.heal()


@kind(loaded=False, lasts=(0.2, 1.5))
def worker_kill9_between_pages(scene: Scene) -> Iterator[None]:
    """Some pages of a listing are read, the others are not."""
    instance = scene.instance
    instance.worker.hang()
    instance.publish(scene.chance.randint(*PAGES))
    instance.worker.go_on()
    scene.until(BETWEEN_PAGES, 30)
    instance.worker.kill9()
    yield
    instance.heal()


@kind(lasts=(0.2, 1.5))
def worker_sigterm(scene: Scene) -> Iterator[None]:
    """Asked to end while it works, as every deployment does."""
    scene.instance.publish(scene.chance.randint(5, 60))
    scene.wait(0.0, 0.5)
    scene.instance.worker.stop(30)
    yield
    scene.instance.heal()


@kind(lasts=(0.5, 2.0))
def two_workers_one_killed(scene: Scene) -> Iterator[None]:
    """Two work on the same tag, and one is gone in the middle."""
    instance = scene.instance
    other = instance.guest(instance.new_worker("worker2"))
    scene.wait(4.0, 6.0)
    instance.publish(scene.chance.randint(5, 60))
    scene.until(CLAIMED, 10)
    victim, heir = scene.chance.sample([instance.worker, other], 2)
    victim.kill9()
    yield
    instance.worker = heir
    instance.heal()


@kind(loaded=False, lasts=(50.0, 55.0))
def worker_stopped_past_its_claim(scene: Scene) -> Iterator[None]:
    """A zombie: it holds a claim, sleeps longer than the claim, and wakes up while
    another worker has read on."""
    instance = scene.instance
    instance.worker.hang()
    instance.publish(scene.chance.randint(*PAGES))
    instance.worker.go_on()
    scene.until(BETWEEN_PAGES, 30)
    instance.worker.hang()
    other = instance.guest(instance.new_worker("worker2"))
    yield
    instance.worker.go_on()
    other.stop(20)
    instance.heal()


@kind(databases=POSTGRESQL, lasts=(0.2, 1.5))
def worker_child_killed(scene: Scene) -> Iterator[None]:
    """The out-of-memory killer takes one process of the worker's pool."""
    instance = scene.instance
    instance.publish(scene.chance.randint(5, 60))
    scene.until(CLAIMED, 10)
    children = instance.worker.children()
    os.kill(scene.chance.choice(children), signal.SIGKILL)
    yield
    instance.heal()


@kind(databases=POSTGRESQL, lasts=(3.0, 12.0))
def beat_killed(scene: Scene) -> Iterator[None]:
    """Nobody keeps the time, and bells are lost meanwhile."""
    beat = scene.instance.beat
    assert beat is not None
    beat.kill9()
    scene.instance.broker.flush()
    yield
    scene.instance.heal()


@kind(lasts=(8.0, 14.0))
def two_beats(scene: Scene) -> Iterator[None]:
    """Every sweep comes twice."""
    other = scene.instance.guest(scene.instance.new_beat("beat2"))
    yield
    other.stop(20)


@kind(lasts=(0.2, 2.0))
def everything_killed(scene: Scene) -> Iterator[None]:
    """The power fails for web, worker, timetable and Redis at the same moment."""
    instance = scene.instance
    instance.publish(scene.chance.randint(5, 60))
    scene.wait(0.0, 0.6)
    for process in (
        instance.web,
        instance.worker,
        instance.beat,
        instance.broker.process,
    ):
        if process is not None:
            process.kill9()
    yield
    instance.heal()
