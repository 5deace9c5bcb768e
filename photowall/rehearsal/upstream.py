"""The sandbox as we speak to it: over HTTP, through its control doors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from media_archive import outgoing_http
from media_archive.errors import OutgoingError, PhotowallError
from media_archive.outgoing_http import Limits
from photowall.rehearsal.steps import Fault

LIMITS = Limits(connect=3, read=58, total=60, max_bytes=8 * 2**20)
AT_ONCE = 50
"""Posts of one call: the sandbox draws, stores and answers within its time."""


class SandboxRefused(PhotowallError):
    """The sandbox does not do what it is told; the message says why."""

    code = "sandbox_refused"


@dataclass(frozen=True, slots=True)
class Upstream:
    """The sandbox at ``url`` (no slash at the end)."""

    url: str
    client_id: str
    secret: str

    def publish(self, tag: str, count: int) -> list[str]:
        """Posts ``count`` pictures; their native ids. Raises ``SandboxRefused``."""
        ids: list[str] = []
        while len(ids) < count:
            order = {"tag": tag, "count": min(AT_ONCE, count - len(ids))}
            posts = self._tell("POST", "publish", order)["posts"]
            if not posts:
                raise SandboxRefused("The sandbox is too busy to post anything.")
            ids += [str(post["native_id"]) for post in posts]
        return ids

    def lead(self, tag: str) -> None:
        """From now on nobody but us posts to the tag."""
        self._tell("POST", "publish", {"tag": tag, "count": 0})

    def edit(self, native_ids: Sequence[str]) -> list[str]:
        """Changes captions; the native ids of the posts that were there."""
        return self._change("edit", native_ids)

    def delete(self, native_ids: Sequence[str]) -> list[str]:
        """Deletes posts; the native ids of those that were there."""
        return self._change("delete", native_ids)

    def posts(self, tag: str) -> list[str]:
        """Every post that the tag's listing holds: the truth."""
        found = self._tell("GET", f"posts/?{urlencode({'tag': tag})}")
        return [str(each) for each in found["native_ids"]]

    def pictures(self, tag: str) -> dict[str, list[str]]:
        """What each post's picture truly is: the hashes of its sizes."""
        found = self._tell("GET", f"pictures/?{urlencode({'tag': tag})}")
        return {str(each): list(of) for each, of in found["pictures"].items()}

    def set_faults(self, faults: Sequence[Fault], tag: str, seed: int) -> None:
        """These and no others; ``()`` heals."""
        said = [
            {
                "kind": fault.kind,
                "share": fault.share,
                "seconds": fault.seconds,
                "tag": tag,
                **({"count": fault.count} if fault.count else {}),
                **fault.options,
            }
            for fault in faults
        ]
        self._tell("PUT", "faults", {"faults": said, "seed": seed})

    def faults(self) -> dict[str, Any]:
        """What is set, and how often each kind was done."""
        return self._tell("GET", "faults")

    def calls(self, tag: str) -> dict[str, Any]:
        """Its own count of our calls."""
        asked = {"client_id": self.client_id, "tag": tag}
        return self._tell("GET", f"calls/?{urlencode(asked)}")

    def _change(self, what: str, native_ids: Sequence[str]) -> list[str]:
        done = self._tell("POST", what, {"native_ids": list(native_ids)})
        return [str(each) for each in done["native_ids"]]

    def _tell(self, method: str, door: str, order: object = None) -> dict[str, Any]:
        address = f"{self.url}/sandbox/{door}" + ("" if "?" in door else "/")
        try:
            answer = outgoing_http.request(
                method,
                address,
                body=None if order is None else json.dumps(order).encode(),
                headers={
                    "Authorization": f"Bearer {self.secret}",
                    "Content-Type": "application/json",
                },
                limits=LIMITS,
            )
        except OutgoingError as error:
            raise SandboxRefused(
                f"The sandbox does not answer. {error.message}"
            ) from error
        try:
            document = json.loads(answer.body)
        except ValueError:
            document = None
        if answer.status != 200 or not isinstance(document, dict):
            raise SandboxRefused(_why(answer.status, document))
        return document


def _why(status: int, document: object) -> str:
    said = document.get("error") if isinstance(document, dict) else None
    if status == 403:
        return "The sandbox does not know our client secret."
    if status == 404 or not isinstance(said, dict):
        return (
            f"What answers there ({status}) is no sandbox that can be rehearsed with."
        )
    return f"The sandbox refuses: {said.get('message')}"
