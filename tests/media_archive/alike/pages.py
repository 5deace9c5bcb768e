"""A page as ``docs/reference/live-protocol.md`` tells clients to be: its tiles only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from media_archive.live.frames import Frame

Post = dict[str, Any]
Seen = dict[str, tuple[int, bool]]
"""Id of the face → how many more, and whether it is pinned."""


class Page:
    """Starts from a snapshot and takes frames."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.story: list[dict[str, Any]] = []
        """Everything it was told, as JSON documents."""
        self.removed: dict[str, int] = {}
        self.tiles: dict[str, Post] = {}
        self.cursor = 0
        self.take(snapshot)

    def take(self, snapshot: dict[str, Any]) -> None:
        """Starts anew."""
        self.story.append(json.loads(json.dumps({"type": "snapshot", **snapshot})))
        self.tiles = {post["id"]: post for post in snapshot["posts"]}
        self.removed = {}
        self.cursor = snapshot["cursor"]

    def hear(self, frames: Iterable[Frame]) -> None:
        """Takes what is newer than its cursor."""
        for frame in frames:
            if frame.seq > self.cursor:
                said = json.loads(frame.text)
                self.story.append(said)
                self._hear(said)
                self.cursor = frame.seq

    def _hear(self, said: dict[str, Any]) -> None:
        seq = said["seq"]
        if said["type"] == "removed":
            self.tiles.pop(said["id"], None)
            self.removed[said["id"]] = seq
            if "instead" in said:
                self._put(said["instead"], seq)
        elif said["type"] == "pinned":
            if said["id"] in self.tiles:
                self.tiles[said["id"]]["pinned"] = said["pinned"]
        else:
            self.tiles.pop(said.get("folded", ""), None)
            self._put(said["post"], seq)

    def _put(self, post: Post, seq: int) -> None:
        if seq <= self.removed.get(post["id"], 0):
            return
        cluster = post["cluster"] and post["cluster"]["id"]
        for known in list(self.tiles.values()):
            same = cluster and known["cluster"] and known["cluster"]["id"] == cluster
            if same or known["id"] == post["id"]:
                del self.tiles[known["id"]]
        self.tiles[post["id"]] = post

    @property
    def seen(self) -> Seen:
        """What is on it."""
        return seen(self.tiles.values())


def seen(posts: Iterable[Post]) -> Seen:
    """What a page that shows these posts shows."""
    return {
        post["id"]: ((post["cluster"] or {}).get("more", 0), post["pinned"])
        for post in posts
    }
