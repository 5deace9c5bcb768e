"""Run one command, and be killed at a given moment: `python -m tests.backup.killed
MOMENT COMMAND FOLDER [WORD]`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any
from unittest.mock import patch

import django
from django.core.management import call_command

MOMENTS = {
    "backup, in the files": "media_archive.files.open_file",
    "backup, at the end": "photowall.backup.manifest.Manifest.write",
    "restore, in the files": "media_archive.files.put",
    "restore, after loading": "photowall.backup.replacing.see_to",
    "restore, at the end": "photowall.backup.restoring.copying.not_in_the_store",
    "restore, before it is put in place": "photowall.backup.sqlite.put_in_place",
    "restore, before the old goes": "photowall.backup.postgres.forget_aside",
}
"""What is about to be called when it happens; of files, the second time."""


def main(moment: str, *words: str) -> None:
    django.setup()
    calls = 0

    def die(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if "files" not in moment or calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    found = patch(MOMENTS[moment], die)
    real = found.get_original()[0]
    with found:
        call_command(*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
