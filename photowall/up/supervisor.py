"""`manage.py up`: starts Photowall whole on this machine, and keeps it running.

One process without Django, so that it stays small: it starts the broker, the web, the
worker and the sandbox, waits for each, restarts what dies, and ends all of them on
Ctrl-C, TERM or HUP.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from photowall.up import banner, beside, broker, ports
from photowall.up.cast import Cast, finished
from photowall.up.child import Child, end_stale
from photowall.up.console import Refusal, say
from photowall.up.places import Places, lasting_secrets, read_json, write_private

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK = 0.2
PATIENCE = 60.0  # seconds a child may take to get ready
GRACE = 3.0  # seconds a child may take to end


class Stop(Exception):
    """Somebody asked us to end. Raised where we wait, never during a start."""


def main(argv: Sequence[str]) -> int:
    """Run until asked to end; returns 0. Raises Refusal when it cannot begin."""
    options = _options(argv)
    # For our children too: what they write is for its owner alone.
    os.umask(0o077)
    places = Places.from_environment()
    places.make()
    asked_to_end = threading.Event()
    for number in _ENDINGS:
        signal.signal(number, lambda *_: asked_to_end.set())
    with _alone(places):
        for name in end_stale(places):
            say(f"Ended a {name} left over from an earlier start.")
        if options.fresh:
            if "DATABASE_URL" in os.environ:
                raise Refusal(
                    "--fresh forgets the embedded database only; "
                    "DATABASE_URL names another one, which you must empty yourself.",
                    2,
                )
            places.forget()
            places.make()
        play = Play(_cast(options, places), asked_to_end)
        try:
            play.begin()
            play.watch()
        except Stop:
            say("\nEnding.")
        finally:
            play.end()
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="manage.py up", description="Run Photowall on this machine."
    )
    parser.add_argument(
        "--port", type=int, help="where the web listens (8000, or the next free one)"
    )
    parser.add_argument(
        "--no-sandbox", action="store_true", help="without the pretend upstream"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget the archive of earlier starts"
    )
    options = parser.parse_args(argv)
    if options.port is not None and not 0 < options.port < 65536:
        parser.error(f"--port: {options.port} is not a port (1 to 65535)")
    return options


def _cast(options: argparse.Namespace, places: Places) -> Cast:
    """Choose the ports and read the secrets."""
    if options.port is not None:
        web_port = ports.given_port(options.port)
    else:
        web_port = ports.next_free(8000)
        if web_port != 8000:
            say(f"Port 8000 is taken, so the web listens on {web_port}.")
    sandbox_port = None
    if not options.no_sandbox:
        # Archived posts point at the sandbox: it keeps its port when it can.
        last = read_json(places.run / "ports.json").get("sandbox")
        first = last if isinstance(last, int) and ports.is_free(last) else web_port + 1
        sandbox_port = ports.next_free(first, but_not={web_port})
        write_private(places.run / "ports.json", {"sandbox": sandbox_port})
    redis_url = broker.given_url()
    broker_port = None if redis_url else ports.any_free()
    secrets = lasting_secrets(places.secrets)
    ours = f"redis://:{secrets['broker_password']}@{ports.HOST}:{broker_port}/0"
    return Cast(
        places=places,
        secrets=secrets,
        web_port=web_port,
        sandbox_port=sandbox_port,
        broker_port=broker_port,
        redis_url=redis_url or ours,
    )


@contextlib.contextmanager
def _alone(places: Places) -> Iterator[None]:
    """One `up` per folder. Raises Refusal when there is another."""
    with places.lock.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            other = handle.read().strip() or "another process"
            raise Refusal(
                f"Photowall is already running from {places.var} ({other}); "
                "end that one first, with Ctrl-C in its window."
            ) from error
        handle.truncate(0)
        handle.write(f"process {os.getpid()}")
        handle.flush()
        yield


@dataclass
class Play:
    """The children of one run."""

    cast: Cast
    asked_to_end: threading.Event
    children: list[Child] = field(default_factory=list)
    commands: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self) -> None:
        """Start everything, as much at once as is safe, and say where it is."""
        cast = self.cast
        began = time.monotonic()
        say(f"Starting Photowall; its logs are in {cast.places.log}.")
        the_broker = self._start(cast.broker())
        demo = cast.prepare_demo()
        self.commands.append(demo)
        sandbox = self._start(cast.sandbox())
        self._wait_for(the_broker)
        self._wait(
            "rows",
            lambda: (
                finished("prepare_demo", demo, cast.places) or cast.migrated.exists()
            ),
        )
        web = self._start(cast.web())
        worker = self._start(cast.worker())
        self._wait_for(sandbox)
        self._wait_for(web)
        self._wait_for(worker)
        self._wait("demo", lambda: finished("prepare_demo", demo, cast.places))
        content = banner.demo(cast)
        beside.leave(cast.places, cast.environment("command"))
        write_private(cast.places.demo, content)
        say(banner.text(content, time.monotonic() - began, cast.places.demo))

    def _start(self, child: Child | None) -> Child | None:
        if child is not None:
            self.children.append(child)
            child.start()
        return child

    def _wait_for(self, child: Child | None) -> None:
        if child is not None:
            self._wait(child.name, child.is_ready)

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not ready():
            if time.monotonic() - began > PATIENCE:
                raise Refusal(
                    f"{name} is not ready after {PATIENCE:.0f} seconds; "
                    f"see {self.cast.places.log}."
                )
            self._pause(0.05)
        say(f"  {name} ready")

    def _pause(self, seconds: float) -> None:
        if self.asked_to_end.wait(seconds):
            raise Stop

    def watch(self) -> None:
        """Start again what ends, for ever."""
        while True:
            self._pause(TICK)
            for child in self.children:
                if child.waits_for_restart:
                    if time.monotonic() >= child.start_again_at:
                        child.start()
                        say(f"Started {child.name} again.")
                elif how := child.how_it_ended():
                    wait = child.plan_restart()
                    say(
                        f"{child.name} {how}; starting it again in {wait:g} s. "
                        f"Its log: {child.log}"
                    )

    def end(self) -> None:
        """End every process that was started, the doers before the served."""
        beside.take_away(self.cast.places)
        for process in self.commands:
            if process.poll() is None:
                process.kill()
                process.wait()
        for names in (("worker",), ("web", "sandbox"), ("broker",)):
            group = [child for child in self.children if child.name in names]
            for child in group:
                child.ask_to_end()
            deadline = time.monotonic() + GRACE
            for child in group:
                child.end(max(0.0, deadline - time.monotonic()))
