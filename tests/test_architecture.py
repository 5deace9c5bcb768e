"""The import rules of the house, and that the checker of them sees something."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.import_rules import ROOT, all_imports, circles, modules, rank, violations

LONGEST = 400
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core"}


def test_nobody_breaks_the_import_rules() -> None:
    imports = all_imports()
    assert len(imports) > 80
    assert violations(imports) == []


@pytest.mark.parametrize(
    ("module", "source", "word"),
    [
        ("media_archive.ingest", "import subscriptions.models", "upwards"),
        ("media_archive.ingest", "from photowall import settings", "upwards"),
        ("subscriptions.inbox", "from photowall.celery import app", "upwards"),
        (
            "media_archive.ingest",
            "def f():\n    from subscriptions import models",
            "inside a function",
        ),
        (
            "media_archive.ingest",
            "class A:\n    async def f(self):\n        import json",
            "inside a function",
        ),
        ("media_archive.ingest", "from . import tags", "relative"),
        ("media_archive.journal", "from media_archive import ingest", "a basement"),
        ("media_archive.ingest", "from media_archive import views", "imports a door"),
        ("media_archive.walls", "import media_archive.api.views", "imports a door"),
        ("subscriptions.inbox", "from subscriptions.tasks import x", "imports a door"),
        ("subscriptions.lifecycle", "import subscriptions.admin_x", "imports a door"),
        ("subscriptions.providers.a.wire", "import django", "a wire"),
        (
            "subscriptions.providers.a.wire.media",
            "from media_archive.models import X",
            "a wire",
        ),
        (
            "subscriptions.providers.a.wire",
            "from subscriptions.providers.b.wire import x",
            "a wire",
        ),
        (
            "subscriptions.providers.a.provider",
            "from media_archive.models import X",
            "a provider",
        ),
        (
            "subscriptions.providers.a.provider",
            "import subscriptions.providers.b.wire",
            "a provider",
        ),
        ("photowall.settings", "import photowall.sandbox.publisher", "the sandbox"),
    ],
)
def test_the_checker_catches(
    tmp_path: Path, module: str, source: str, word: str
) -> None:
    for neighbour in ("media_archive.ingest", "media_archive.views"):
        write(tmp_path, neighbour, "")
    write(tmp_path, module, source)
    found = violations(all_imports(tmp_path))
    assert any(word in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("subscriptions.inbox", "from media_archive.models import MediaItem"),
        ("media_archive.views", "from media_archive.ingest import store"),
        ("media_archive.ingest", "from media_archive import journal\nimport json"),
        ("subscriptions.providers.a.wire", "import json\nimport media_archive.records"),
        ("subscriptions.providers.a.provider", "import subscriptions.providers.a.wire"),
        (
            "media_archive.ingest",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import photowall",
        ),
        ("photowall.sandbox.publisher", "import photowall.sandbox.pictures"),
    ],
)
def test_the_checker_lets_pass(tmp_path: Path, module: str, source: str) -> None:
    write(tmp_path, module, source)
    assert violations(all_imports(tmp_path)) == []


def test_the_checker_sees_circles_of_two_and_of_three(tmp_path: Path) -> None:
    write(tmp_path, "media_archive.a", "from media_archive import b")
    write(tmp_path, "media_archive.b", "import media_archive.c")
    write(tmp_path, "media_archive.c", "from media_archive.a import x")
    write(tmp_path, "subscriptions.d", "import subscriptions.e")
    write(tmp_path, "subscriptions.e", "import subscriptions.d")
    a, b, c = (f"media_archive.{name}" for name in "abc")
    d, e = (f"subscriptions.{name}" for name in "de")
    assert circles(all_imports(tmp_path)) == [(a, b, c, a), (d, e, d)]


def test_ranks_are_as_the_layout_says() -> None:
    assert rank("media_archive.models.items") == 0
    assert rank("media_archive.live.hub") == 1
    assert rank("media_archive.live.consumers") == 2
    assert rank("media_archive.api.filters") == 2
    assert rank("media_archive.admin_items") == 2
    assert rank("subscriptions.management.commands.subscribe") == 2


def test_modules_are_small_and_named_for_what_they_hold() -> None:
    paths = modules()
    lengths = {m: len(p.read_text("utf-8").splitlines()) for m, p in paths.items()}
    assert {m: n for m, n in lengths.items() if n > LONGEST} == {}
    named = {m for m in paths if FORBIDDEN_NAMES & {*m.split(".")}}
    assert named == set()
    assert (ROOT / "manage.py").is_file()


def write(root: Path, module: str, source: str) -> None:
    """Put ``source`` where ``module`` would be."""
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
