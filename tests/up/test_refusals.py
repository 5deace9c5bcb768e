"""What cannot work is said in one sentence, without a stack trace."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from photowall.up.console import Refusal
from photowall.up.places import Places, lasting_secrets
from photowall.up.ports import is_free, next_free

ROOT = Path(__file__).resolve().parents[2]


def manage(
    *words: str, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run manage.py; its code, what it said, and what it complained of."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_taken_port_that_was_asked_for_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        code, said, complained = manage(
            "up", "--port", port, environment={"PHOTOWALL_VAR": str(tmp_path)}
        )
    assert (code, said) == (1, "")
    assert complained == (
        f"Port {port} on 127.0.0.1 is taken or not ours to use; stop what listens "
        "there, or choose another one with --port.\n"
    )


def test_the_next_free_port_passes_over_a_taken_one() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert not is_free(taken)
        assert next_free(taken) > taken
    assert is_free(taken)


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    code, _, complained = manage(
        "up", "--port", port, environment={"PHOTOWALL_VAR": str(tmp_path)}
    )
    assert code == 2
    assert "--port" in complained
    assert "Traceback" not in complained


def test_a_folder_we_may_not_write_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    var = tmp_path / "file" / "var"
    code, said, complained = manage("up", environment={"PHOTOWALL_VAR": str(var)})
    assert (code, said) == (1, "")
    assert complained.startswith(f"Photowall cannot write to {var} (")
    assert complained.count("\n") == 1


def test_a_second_start_in_one_folder_is_one_sentence(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.make()
    with places.lock.open("a+") as handle:
        handle.write("process 123")
        handle.flush()
        fcntl.flock(handle, fcntl.LOCK_EX)
        code, said, complained = manage(
            "up", environment={"PHOTOWALL_VAR": str(tmp_path)}
        )
    assert (code, said) == (1, "")
    assert complained == (
        f"Photowall is already running from {tmp_path} (process 123); "
        "end that one first, with Ctrl-C in its window.\n"
    )


def test_a_redis_that_does_not_answer_is_named_without_its_password(
    tmp_path: Path,
) -> None:
    environment = {
        "PHOTOWALL_VAR": str(tmp_path),
        "REDIS_URL": "redis://:geheim@127.0.0.1:1/0",
    }
    code, _, complained = manage("up", environment=environment)
    assert code == 1
    assert complained.startswith("No Redis answers at 127.0.0.1:1, which REDIS_URL")
    assert "geheim" not in complained


def test_fresh_does_not_touch_a_database_of_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").write_text("kept")
    environment = {"PHOTOWALL_VAR": str(tmp_path), "DATABASE_URL": "sqlite:////x"}
    code, _, complained = manage("up", "--fresh", environment=environment)
    assert code == 2
    assert complained.startswith("--fresh forgets the embedded database only")
    assert (tmp_path / "db.sqlite3").read_text() == "kept"


def test_fresh_forgets_our_things_and_nobody_elses(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.make()
    (tmp_path / "db.sqlite3-wal").touch()
    (tmp_path / "diary.txt").touch()
    before = lasting_secrets(places.secrets)
    places.forget()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["diary.txt"]
    places.make()
    assert lasting_secrets(places.secrets) != before


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = lasting_secrets(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert lasting_secrets(path) == made
    without = {name: made[name] for name in list(made)[1:]}
    path.write_text(json.dumps(without))
    again = lasting_secrets(path)
    assert without.items() < again.items()
    path.write_text("{broken")
    with pytest.raises(Refusal, match="not readable as JSON"):
        lasting_secrets(path)


def test_what_was_open_to_others_is_closed(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "log").mkdir(parents=True)
    for name in ("db.sqlite3", "db.sqlite3-wal", "secrets.json", "diary.txt"):
        (var / name).touch()
        (var / name).chmod(0o644)
    (var / "log").chmod(0o755)
    var.chmod(0o755)
    Places(var).make()
    modes = {path.name: path.stat().st_mode & 0o777 for path in var.iterdir()}
    assert var.stat().st_mode & 0o777 == 0o700
    assert modes.pop("diary.txt") == 0o644  # not one of our things
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert modes["db.sqlite3"] == 0o600


def test_a_folder_that_all_share_stays_shared(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir()
    var.chmod(0o1777)
    Places(var).make()
    assert var.stat().st_mode & 0o7777 == 0o1777
    assert (var / "log").stat().st_mode & 0o077 == 0


def test_a_python_that_is_too_old_says_so(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text((ROOT / "manage.py").read_text())
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0);"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "Photowall needs Python 3.11 or newer; this is Python 3.9, and no newer one "
        "was found on PATH.\n"
    )


def test_a_python_that_is_too_old_hands_over_to_a_newer_one(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text((ROOT / "manage.py").read_text())
    (tmp_path / "photowall" / "up").mkdir(parents=True)
    (tmp_path / "photowall" / "up" / "environment.py").write_text(
        "def main(argv): print('newer', *argv[1:]); return 7"
    )
    (tmp_path / "python3.12").symlink_to(sys.executable)
    (tmp_path / "python3.14").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "python3.14").chmod(0o755)
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0);"
        "sys.argv = ['manage.py', 'up', '--port', '1'];"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "newer up --port 1\n"), done.stderr


def test_an_old_python_can_read_manage_py() -> None:
    source = (ROOT / "manage.py").read_text()
    assert ast.parse(source, feature_version=(3, 5)).body
    with pytest.raises(SyntaxError):  # the check does see newer grammar
        ast.parse("with (a as b, c as d): pass\nx = f'{y!r:=}'", feature_version=(3, 5))
