"""Faults of a notification, on its way from the deliveries to the receiver."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Timer
from typing import Any

from media_archive import outgoing_http
from media_archive.errors import OutgoingError
from media_archive.outgoing_http import Answer, Limits
from photowall.facades import sending
from photowall.sandbox import options
from photowall.sandbox.counting import counts
from photowall.sandbox.faults.board import Fault, board
from photowall.sandbox.faults.kinds import Family, names_of
from subscriptions.providers.instagram_v1.wire.signatures import sign_body

logger = logging.getLogger(__name__)
KINDS = names_of(Family.NOTIFICATION)
AT_ONCE = 4
"""Copies of a storm on their way at the same time."""
SIGNATURE = "X-Hub-Signature"

Headers = Mapping[str, str]
_held: list[tuple[str, bytes, Headers, Limits]] = []
_holding = Lock()


def install() -> None:
    """Let this process's deliveries go through ``carry``."""
    sending.transport = carry


def carry(
    method: str, url: str, *, body: bytes, headers: Headers, limits: Limits
) -> Answer:
    """Take a notification to its receiver as the faults have it. Raises
    ``OutgoingError``."""
    hit = {fault.kind.name: fault for fault in board.drawn(KINDS, _tag(body))}
    if "forged" in hit:
        _forge(hit["forged"], url, body, headers, limits)
    if "silence" in hit:
        return _taken(url)
    if "delayed" in hit:
        _later(hit["delayed"].option("delay"), _quietly, url, body, headers, limits)
        return _taken(url)
    if "out_of_order" in hit:
        with _holding:
            _held.append((url, body, headers, limits))
            first = len(_held) == 1
        if first:
            _later(hit["out_of_order"].option("delay"), _release)
        return _taken(url)
    if "storm" in hit:
        _storm(int(hit["storm"].option("times")) - 1, url, body, headers, limits)
    return _post(url, body, headers, limits)


def _post(url: str, body: bytes, headers: Headers, limits: Limits) -> Answer:
    try:
        answer = outgoing_http.request(
            "POST", url, body=body, headers=headers, limits=limits
        )
    except OutgoingError:
        counts.notified("unanswered", _tag(body))
        raise
    outcome = "answered" if 200 <= answer.status < 300 else "refused"
    counts.notified(outcome, _tag(body))
    return answer


def _quietly(url: str, body: bytes, headers: Headers, limits: Limits) -> None:
    """What was late may be lost: nobody waits for its answer any more."""
    try:
        _post(url, body, headers, limits)
    except OutgoingError as error:
        logger.info("A late notification was lost: %s", error.message)


def _storm(
    copies: int, url: str, body: bytes, headers: Headers, limits: Limits
) -> None:
    """Copies beside the true one; every second one is of another moment, signed."""

    def send(number: int) -> None:
        if number % 2:
            _quietly(url, body, headers, limits)
        else:
            _quietly(url, *_of_another_moment(number + 1, body, headers), limits)

    with ThreadPoolExecutor(AT_ONCE, "storm") as pool:
        list(pool.map(send, range(copies)))


def _of_another_moment(
    seconds: int, body: bytes, headers: Headers
) -> tuple[bytes, Headers]:
    secret = options.client()[1]
    if sign_body(secret, body) != headers.get(SIGNATURE):
        return body, headers  # another client's: its secret is not known here
    said = json.loads(body)
    for each in said:
        each["time"] = each.get("time", 0) - seconds
    changed = json.dumps(said).encode()
    return changed, {**headers, SIGNATURE: sign_body(secret, changed)}


def _forge(
    fault: Fault, url: str, body: bytes, headers: Headers, limits: Limits
) -> None:
    unsigned = {name: value for name, value in headers.items() if name != SIGNATURE}
    for number in range(int(fault.option("times"))):
        false = unsigned
        if number % 3:
            secret = "somebody else" if number % 3 == 1 else ""
            false = {**unsigned, SIGNATURE: sign_body(secret, body)}
        try:
            answer = outgoing_http.request(
                "POST", url, body=body, headers=false, limits=limits
            )
        except OutgoingError as error:
            logger.info("A false notification got no answer: %s", error.message)
            continue
        if 200 <= answer.status < 300:
            board.accepted_forgery()


def _later(seconds: float, work: Any, *arguments: Any) -> None:
    timer = Timer(seconds, work, arguments)
    timer.daemon = True
    timer.start()


def _release() -> None:
    """What was held, the last one first."""
    with _holding:
        waiting = _held[::-1]
        _held.clear()
    for url, body, headers, limits in waiting:
        _quietly(url, body, headers, limits)


def _taken(url: str) -> Answer:
    """As if the receiver had taken it."""
    return Answer(status=200, headers={}, url=url, body=b"")


def _tag(body: bytes) -> str:
    """The tag a notification of ours is about."""
    said = json.loads(body)
    return str(said[0].get("object_id", "")) if said else ""
