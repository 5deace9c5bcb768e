#!/usr/bin/env python3
"""Photowall's commands: `up` runs it, `test` tests it, the rest are Django's.

Any Python reads this file, however old, so its grammar is an old one. It finds a Python
that is new enough and hands over to `photowall.up.environment`, which sees to the
packages before anything else is imported.
"""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
HERE = os.path.dirname(os.path.abspath(__file__))


def newer_python() -> "str | None":
    """The path of a Python on this machine that is new enough and runs."""
    choices = [os.path.join(HERE, ".venv", "bin", "python")]
    choices += [shutil.which("python3.%d" % minor) or "" for minor in (14, 13, 12, 11)]
    check = "import sys, sqlite3, ssl; sys.exit(sys.version_info < %r)" % (OLDEST,)
    for path in choices:
        if path and os.path.exists(path):
            with open(os.devnull, "w") as nowhere:
                words = [path, "-c", check]
                if subprocess.call(words, stdout=nowhere, stderr=nowhere) == 0:
                    return path
    return None


if __name__ == "__main__":
    if os.name != "posix":
        sys.exit("Photowall runs on Linux and macOS.")
    if sys.version_info < OLDEST:
        python = newer_python()
        if python is None:
            sys.stderr.write(
                "Photowall needs Python %d.%d or newer; this is Python %d.%d, and no "
                "newer one was found on PATH.\n"
                % (OLDEST + tuple(sys.version_info[:2]))
            )
            sys.exit(2)
        os.execv(python, [python, os.path.join(HERE, "manage.py"), *sys.argv[1:]])

    from photowall.up.environment import main

    sys.exit(main(sys.argv))
