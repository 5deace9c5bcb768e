"""Faults of the upstream: away, hanging, wrong, forgetful."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.faults.kinds import Scene, kind


@kind(lasts=(3.0, 8.0))
def upstream_down(scene: Scene) -> Iterator[None]:
    """Its server is killed, while people go on posting there."""
    scene.instance.upstream.process.kill9()
    yield
    scene.instance.upstream.process.start()


@kind(lasts=(4.0, 12.0))
def upstream_hanging(scene: Scene) -> Iterator[None]:
    """Its server takes connections and says nothing."""
    scene.instance.upstream.hang()
    yield
    scene.instance.upstream.process.go_on()


@kind(loaded=False)
def upstream_forgot_us(scene: Scene) -> Iterator[None]:
    """Our subscription vanishes there; nobody tells us."""
    scene.instance.upstream.forget_us()
    yield


@contextlib.contextmanager
def _misbehaving(scene: Scene, *faults: dict[str, Any]) -> Iterator[None]:
    upstream = scene.instance.upstream
    upstream.misbehave(faults, scene.chance.randrange(1_000_000))
    try:
        yield
    finally:
        if not upstream.misdeeds():
            scene.notes.append("nothing met the fault")
        upstream.misbehave([], 0)


def _wrong(name: str, *faults: dict[str, Any], lasts: tuple[float, float]) -> None:
    def fault(scene: Scene) -> Iterator[None]:
        with _misbehaving(scene, *faults):
            scene.instance.publish(scene.chance.randint(2, 50))
            yield

    fault.__name__ = name
    kind(lasts=lasts)(fault)


def _answers(wrong: str, share: float = 0.7, **more: Any) -> dict[str, Any]:
    return {"kind": wrong, "share": share, "seconds": 60, **more}


_LITTLE = (3.0, 7.0)
_wrong("upstream_500", _answers("error_500"), lasts=_LITTLE)
_wrong("upstream_503", _answers("error_503"), lasts=_LITTLE)
_wrong("upstream_rate_limited", _answers("rate_limited", retry_after=2), lasts=_LITTLE)
_wrong("upstream_timeout", _answers("timeout", 0.5), lasts=(5.0, 12.0))
_wrong("upstream_slow", _answers("slow", 1.0), lasts=_LITTLE)
_wrong("upstream_cut_off", _answers("cut_off"), lasts=_LITTLE)
_wrong("upstream_truncated", _answers("truncated"), lasts=_LITTLE)
_wrong("upstream_html", _answers("html"), lasts=_LITTLE)
_wrong("upstream_wrong_envelope", _answers("wrong_envelope"), lasts=_LITTLE)
_wrong("upstream_repeated_page", _answers("repeated_page", 0.5), lasts=_LITTLE)
_wrong("upstream_duplicates", _answers("duplicates", 1.0), lasts=_LITTLE)
_wrong("upstream_reordered", _answers("reordered", 1.0), lasts=_LITTLE)
_wrong("upstream_silent", _answers("silence", 1.0), lasts=_LITTLE)
_wrong("upstream_notifies_late", _answers("delayed", 1.0), lasts=_LITTLE)
_wrong("upstream_out_of_order", _answers("out_of_order", 1.0), lasts=_LITTLE)
_wrong("upstream_storms", _answers("storm", 1.0), lasts=_LITTLE)
_wrong("upstream_half_json", _answers("half_json"), lasts=_LITTLE)
_wrong("upstream_empty_page", _answers("empty"), lasts=_LITTLE)
_wrong("upstream_lists_late", _answers("late_listing", 1.0), lasts=(2.0, 9.0))
_wrong("upstream_lists_stale", _answers("stale_listing", 1.0), lasts=(2.0, 9.0))
_wrong("upstream_mangled_post", _answers("mangled_item", 1.0), lasts=_LITTLE)
_wrong("upstream_edits", _answers("edits", 1.0), lasts=_LITTLE)


@kind(loaded=True, lasts=(1.0, 4.0))
def token_revoked_and_renewed(scene: Scene) -> Iterator[None]:
    """Our credential is refused, and a person renews it."""
    with _misbehaving(scene, _answers("revoked_token", 1.0)):
        scene.instance.publish(scene.chance.randint(1, 40))
        scene.until(
            "SELECT 1 FROM subscriptions_subscription WHERE state = 'suspended'", 30
        )
        yield
    scene.instance.follow()
