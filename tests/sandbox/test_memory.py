"""Memory of pictures is given back. Measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from photowall.sandbox.memory import return_freed_blocks

MEASURE = """
import threading
from photowall.sandbox.memory import return_freed_blocks
from photowall.sandbox.pictures import draw

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

assert return_freed_blocks()
before = resident()
thread = threading.Thread(target=lambda: [draw(seed) for seed in range(12)])
thread.start()
thread.join()
print(resident() - before)
"""


def test_where_the_c_library_has_no_such_switch_nothing_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert return_freed_blocks() is False


def test_drawing_leaves_little_behind() -> None:
    if sys.platform != "linux":
        assert return_freed_blocks() is False
        return
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
    )

    assert float(done.stdout) < 15, "MB more than before twelve pictures"
