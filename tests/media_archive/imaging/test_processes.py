"""Decoding processes that die, hang or are left behind: one picture pays, once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from media_archive import imaging
from media_archive.decoder import landlock, messages
from media_archive.errors import BrokenImage, DecodingTookTooLong, PictureRefused
from media_archive.imaging import Looked, pool
from media_archive.imaging.process import DecodingProcess
from tests.import_rules import ROOT, all_imports
from tests.media_archive.imaging.drawings import encoded, quarters

Look = Callable[[bytes], Looked]
PICTURE = encoded(quarters())
KNOWS_LANDLOCK = landlock.version() > 0
LINUX = sys.platform == "linux"


@pytest.fixture(autouse=True)
def _a_pool_of_ones_own() -> Iterator[None]:
    """Begins and ends without processes."""
    pool.POOL.end()
    yield
    pool.POOL.end()


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A file whose opening never ends: what asks about it is stuck."""
    path = tmp_path / "hanging"
    os.mkfifo(path)
    return path


def the_process() -> DecodingProcess:
    """The only one there is."""
    (process,) = pool.POOL.all_of_them()
    return process


def in_another_thread(call: Callable[[], Any]) -> Future[Any]:
    executor = ThreadPoolExecutor(1)
    future = executor.submit(call)
    executor.shutdown(wait=False)
    return future


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_there_is_none_before_the_first_picture_and_one_for_all(look: Look) -> None:
    assert pool.POOL.all_of_them() == []
    look(PICTURE)
    first = the_process().pid
    look(PICTURE)
    assert the_process().pid == first


def test_a_stuck_one_is_ended_and_the_next_picture_goes_on(
    look: Look, hanging: Path, settings: Any
) -> None:
    settings.PHOTOWALL_PICTURE_SECONDS = 1
    look(PICTURE)
    stuck = the_process().pid
    began = time.monotonic()
    with pytest.raises(DecodingTookTooLong, match="more than 1 second"):
        imaging.look(hanging)
    assert 2.9 < time.monotonic() - began < 20
    assert look(PICTURE).width == 64
    assert the_process().pid != stuck
    with pytest.raises(ProcessLookupError):
        os.kill(stuck, 0)


def test_one_that_is_killed_over_a_picture_is_replaced_and_tries_again(
    hanging: Path, tmp_path: Path
) -> None:
    asked = in_another_thread(lambda: imaging.look(hanging))
    until(lambda: len(pool.POOL.all_of_them()) == 1)
    until(lambda: the_process().busy)
    picture = tmp_path / "picture"
    picture.write_bytes(PICTURE)
    picture.replace(hanging)
    killed = the_process().pid
    os.kill(killed, signal.SIGKILL)
    assert asked.result(30).width == 64
    assert the_process().pid != killed


def test_a_picture_that_kills_twice_is_refused(look: Look, hanging: Path) -> None:
    asked = in_another_thread(lambda: imaging.look(hanging))
    killed = set[int]()
    for _ in range(2):
        until(
            lambda: any(p.busy for p in pool.POOL.all_of_them() if p.pid not in killed)
        )
        killed.add(the_process().pid)
        os.kill(the_process().pid, signal.SIGKILL)
    with pytest.raises(BrokenImage, match="crashed over it"):
        asked.result(30)
    assert look(PICTURE).width == 64


def test_one_that_died_between_two_pictures_costs_nothing(look: Look) -> None:
    look(PICTURE)
    os.kill(the_process().pid, signal.SIGKILL)
    assert look(PICTURE).width == 64


def test_processor_time_is_limited(tmp_path: Path, settings: Any) -> None:
    """One second is not enough for the largest picture that is allowed."""
    path = tmp_path / "slow.png"
    Image.effect_noise((1200, 1000), 90).resize((7000, 7000)).save(
        path, compress_level=1
    )
    settings.PHOTOWALL_PICTURE_SECONDS = 1
    specs = [f"w{2560 - number}.webp.1" for number in range(40)]
    with pytest.raises(DecodingTookTooLong):
        imaging.render(path, tmp_path, specs)


def test_many_threads_share_one(look: Look) -> None:
    with ThreadPoolExecutor(8) as executor:
        found = [*executor.map(look, [PICTURE] * 40)]
    assert {one.width for one in found} == {64}
    assert len(pool.POOL.all_of_them()) == 1


def test_as_many_as_the_settings_say(look: Look, hanging: Path, settings: Any) -> None:
    """A stuck one does not hold up the others."""
    settings.PHOTOWALL_DECODERS = 2
    settings.PHOTOWALL_PICTURE_SECONDS = 1
    asked = in_another_thread(lambda: imaging.look(hanging))
    until(lambda: any(process.busy for process in pool.POOL.all_of_them()))
    assert look(PICTURE).width == 64
    assert not asked.done()
    assert len(pool.POOL.all_of_them()) == 2
    with pytest.raises(PictureRefused):
        asked.result(30)


def test_a_worn_one_is_replaced(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST_PICTURES", 3)
    seen = []
    for _ in range(4):
        look(PICTURE)
        seen += [process.pid for process in pool.POOL.all_of_them()]
    assert len(seen) == 3 and len({*seen}) == 2  # after the third there was none


def test_one_that_needed_much_memory_is_replaced(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(PICTURE)
    assert 10_000_000 < the_process().peak < 100_000_000
    monkeypatch.setattr(pool, "LARGE", 1_000_000)
    look(PICTURE)
    assert pool.POOL.all_of_them() == []


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02no",
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x20" + b'{"width":"x","made":1,"peak":0} ',
        b"\x00\x00",
    ],
)
def test_nonsense_of_a_process_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """It is trusted no more than what it reads."""
    program = f"import os; os.read(0, 99999); os.write(1, {answer!r})"
    monkeypatch.setattr("media_archive.imaging.process._START", ("-c", program))
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)
    for ask in (
        lambda: imaging.look(path),
        lambda: imaging.render(path, tmp_path, ["w240.webp.1"]),
    ):
        with pytest.raises(BrokenImage):
            ask()


def test_it_writes_only_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"spec": "../../secret", "content_type": "x", "width": 1, "height": 1}
    answer: dict[str, Any] = {"made": [made], "perceptual_hash": None, "luma": 0}
    answer |= {"placeholder": "", "color": "", "tint": "", "peak": 0}
    program = f"import os; os.read(0, 99999); os.write(1, {messages.pack(answer)!r})"
    monkeypatch.setattr("media_archive.imaging.process._START", ("-c", program))
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)
    with pytest.raises(BrokenImage, match="no sense"):
        imaging.render(path, tmp_path, ["w240.webp.1"])


WHAT_IT_MAY_NOT = """
import os, socket, subprocess, sys
from media_archive.decoder import confinement
def tried(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"
parent = os.getppid()
reads = lambda: open(f"/proc/{parent}/environ", "rb").read(1)
acts = [
    reads,
    lambda: open(f"/proc/{parent}/mem", "rb"),
    lambda: subprocess.run([sys.executable, "-c", ""]),
    lambda: os.mkfifo(sys.argv[1] + "-pipe"),
    lambda: os.symlink("/etc/passwd", sys.argv[1] + "-link"),
]
print(tried(reads))
confinement.confine(1 << 30)
print(*[tried(act) for act in acts])
print(tried(lambda: open(sys.argv[1], "wb").close()), tried(os.getcwd))
"""


@pytest.mark.skipif(not KNOWS_LANDLOCK, reason="this system cannot forbid it")
def test_it_cannot_look_into_its_parent(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", WHAT_IT_MAY_NOT, tmp_path / "file"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    before, *after = told.stdout.split()
    assert before == "done"
    assert after[:5] == ["PermissionError"] * 5
    assert after[5:] == ["done", "done"]


@pytest.mark.skipif(not KNOWS_LANDLOCK, reason="this system cannot forbid it")
def test_the_one_that_decodes_is_held_so(look: Look) -> None:
    look(PICTURE)
    status = Path(f"/proc/{the_process().pid}/status").read_text()
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_it_knows_no_secret(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    monkeypatch.setenv("DATABASE_URL", "postgres://do-not-tell")
    look(PICTURE)
    folder = Path(f"/proc/{the_process().pid}")
    words = (folder / "environ").read_text().split("\0")
    names = {word.partition("=")[0] for word in words if word}
    allowed = {"LC_ALL", "LD_LIBRARY_PATH"}
    assert {name for name in names if not name.startswith("MALLOC_")} <= allowed
    assert b"do-not-tell" not in (folder / "cmdline").read_bytes()
    limits = (folder / "limits").read_text()
    megabytes = 1024 * 1024 * 1024
    assert f"Max address space         {megabytes}" in limits
    assert "Max core file size        0" in limits
    assert "Max open files            64" in limits


def test_it_imports_no_django_and_nobody_else_imports_pillow() -> None:
    program = (
        "import sys; import media_archive.decoder.program;"
        "print([m for m in sys.modules if m.startswith(('django', 'celery'))],"
        " 'PIL.Image' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True
    )
    assert told.stdout.split() == [b"[]", b"True"]
    users = {
        module
        for module, targets in all_imports().items()
        for target, _ in targets
        if target.split(".", maxsplit=1)[0] in ("PIL", "pi_heif")
    }
    assert "media_archive.decoder.opening" in users
    ours = ("media_archive.decoder.", "photowall.sandbox.")
    assert {module for module in users if not module.startswith(ours)} == set()


PARENT = """
import os, sys, threading, pathlib
from django.conf import settings
settings.configure(
    PHOTOWALL_PICTURE_PIXELS=50_000_000, PHOTOWALL_PICTURE_FRAMES=200,
    PHOTOWALL_PICTURE_SECONDS=60, PHOTOWALL_PICTURE_MEMORY=1024, PHOTOWALL_DECODERS=1,
)
from media_archive import imaging
from media_archive.imaging import pool
imaging.look(pathlib.Path(sys.argv[1]))
threading.Thread(
    target=imaging.look, args=(pathlib.Path(sys.argv[2]),), daemon=True
).start()
while not any(process.busy for process in pool.POOL.all_of_them()):
    pass
print(pool.POOL.all_of_them()[0].pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("way", ["killed", "ended"])
def test_it_ends_with_its_parent_even_at_work(
    tmp_path: Path, hanging: Path, way: str
) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(PICTURE)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, picture, hanging],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None and parent.stdin is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    if way == "killed":
        parent.kill()
    else:
        parent.stdin.close()
    parent.wait(30)
    until(lambda: not is_there(child))
    parent.stdin.close()
    parent.stdout.close()


def is_there(pid: int) -> bool:
    """Also a zombie that nobody waits for has ended."""
    stat = Path(f"/proc/{pid}/stat")
    if LINUX:
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_copy_of_this_process_has_its_own(look: Look, tmp_path: Path) -> None:
    """Celery's worker with processes forks: both go on with processes of their own."""
    look(PICTURE)
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)
    ours = the_process().pid
    copy = os.fork()
    if copy == 0:  # no test machinery in here: only an answer as an exit code
        good = pool.POOL.all_of_them() == [] and imaging.look(path).width == 64
        good = good and the_process().pid != ours
        pool.POOL.end()
        os._exit(0 if good else 1)
    _, status = os.waitpid(copy, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert look(PICTURE).width == 64
    assert the_process().pid == ours


def test_nobody_waits_for_ever_when_processes_cannot_start(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            look(PICTURE)
    monkeypatch.undo()
    assert look(PICTURE).width == 64


def test_threads_are_not_left_behind(look: Look) -> None:
    before = threading.active_count()
    look(PICTURE)
    assert threading.active_count() == before
