"""Faults on the way from the upstream to our door."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

from tests.faults.kinds import Scene, kind


@kind(loaded=False, lasts=(0.5, 2.0))
def notifications_lost(scene: Scene) -> Iterator[None]:
    """None arrives, and none is sent again soon: only reading unasked finds posts."""
    instance = scene.instance
    instance.front.send_to()
    instance.publish(3)
    # The first attempt and the one after 5 s: the third comes after minutes.
    scene.wait(8.0, 10.0)
    yield
    instance.front.send_to(instance.web_port)


@kind(loaded=False, lasts=(0.1, 0.5))
def notifications_storm(scene: Scene) -> Iterator[None]:
    """As many as eight senders can send."""
    storm = Thread(target=scene.notifier.storm, args=(4.0, 8), daemon=True)
    storm.start()
    scene.instance.publish(scene.chance.randint(5, 40))
    storm.join()
    yield


@kind(loaded=False, lasts=(0.1, 0.5))
def notifications_doubled_and_reordered(scene: Scene) -> Iterator[None]:
    """Each one three times, in no order, from several senders at once."""
    bodies = [scene.notifier.body(age) for age in range(0, 6000, 100)] * 3
    scene.chance.shuffle(bodies)

    def send(mine: list[bytes]) -> None:
        for body in mine:
            scene.notifier.send(body)

    senders = [
        Thread(target=send, args=(bodies[part::4],), daemon=True) for part in range(4)
    ]
    for sender in senders:
        sender.start()
    scene.instance.publish(5)
    for sender in senders:
        sender.join()
    yield


@kind(lasts=(0.1, 0.5))
def forged_notifications(scene: Scene) -> Iterator[None]:
    """Signed with a wrong secret: refused and not kept, while right ones are."""
    for _ in range(30):
        status = scene.notifier.send(secret="not-the-secret")
        if 200 <= status < 300:
            scene.notes.append("a forged notification was acknowledged")
    yield


@kind(lasts=(0.1, 0.5))
def callbacks_cut_off(scene: Scene) -> Iterator[None]:
    """Connections to our door fail again and again."""
    front, port = scene.instance.front, scene.instance.web_port
    for _ in range(6):
        front.send_to()
        scene.instance.publish(1)
        scene.wait(0.1, 0.4)
        front.send_to(port)
        scene.wait(0.1, 0.4)
    yield
