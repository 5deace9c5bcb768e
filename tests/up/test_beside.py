"""Commands beside a running `up` see what it gave its own processes."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from photowall.up import beside
from photowall.up.places import Places, lasting_secrets
from subscriptions.management import commands

GIVEN = {
    "PHOTOWALL_BASE_URL": "http://127.0.0.1:8123",
    "PHOTOWALL_ROLE": "command",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "s",
    "HOME": "/root",
}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    made = Places(tmp_path)
    made.make()
    beside.leave(made, GIVEN)
    return made


def test_where_none_runs_nothing_is_taken(places: Places) -> None:
    assert not beside.join(places)
    places.lock.touch()
    assert not beside.join(places)
    assert "REDIS_URL" not in os.environ


def test_beside_a_running_one_what_is_missing_is_taken(places: Places) -> None:
    os.environ["SECRET_KEY"] = "one's own"
    with places.lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert beside.join(places)
        assert os.environ["PHOTOWALL_BASE_URL"] == "http://127.0.0.1:8123"
        assert os.environ["REDIS_URL"] == "redis://127.0.0.1:1/0"
        assert os.environ["SECRET_KEY"] == "one's own"
        assert "PHOTOWALL_ROLE" not in os.environ
        beside.take_away(places)
        assert not beside.join(places)


def test_it_is_for_all_commands_about_what_we_follow() -> None:
    found = Path(commands.__file__).parent.glob("[!_]*.py")
    assert {path.stem for path in found} <= set(beside.COMMANDS)


def test_it_is_for_its_owner_alone(places: Places) -> None:
    file = places.run / "environment.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "HOME" not in file.read_text()


def test_at_rest_only_who_gives_nothing_of_their_own_takes_the_keys(
    places: Places,
) -> None:
    secrets = lasting_secrets(places.secrets)
    names = ("DATABASE_URL", "SECRET_KEY", "PHOTOWALL_ENCRYPTION_KEY")
    for own in names:
        os.environ.pop(own, None)
    for own in names:
        os.environ[own] = "another installation's"
        beside.take_keys(places)
        assert os.environ.pop(own) == "another installation's"
        assert not {"SECRET_KEY", "PHOTOWALL_ENCRYPTION_KEY"} & {*os.environ}
    beside.take_keys(places)
    assert os.environ["SECRET_KEY"] == secrets["secret_key"]
    assert os.environ["PHOTOWALL_ENCRYPTION_KEY"] == secrets["encryption_key"]
    assert {*beside.AT_REST} <= {*beside.COMMANDS}
