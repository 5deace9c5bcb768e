"""Nothing that people can set, ask or meet is undocumented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from media_archive.api.errors import CODES
from media_archive.api.filters import PAGING, MediaFilters
from media_archive.api.serializers import MediaItemDetailSerializer
from media_archive.models import JournalKind

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
SETTINGS = (
    "photowall/settings.py",
    "photowall/store_settings.py",
    "photowall/sandbox/settings.py",
)
FLOORS = ("media_archive", "subscriptions", "photowall")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


def code_words(page: str) -> set[str]:
    """What stands in backticks on a reference page."""
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text("utf-8")))


def variables(source: str) -> set[str]:
    """Names given to ``env.str("NAME", …)``, ``env("NAME")`` and the like."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        reader = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        name = node.args[0]
        if (
            isinstance(reader, ast.Name)
            and reader.id == "env"
            and isinstance(name, ast.Constant)
        ):
            found.add(str(name.value))
    return found


def error_codes(source: str) -> set[str]:
    """Values of ``code = "…"`` in classes."""
    return {
        str(line.value.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        for line in node.body
        if isinstance(line, ast.Assign)
        and isinstance(line.value, ast.Constant)
        and any(isinstance(t, ast.Name) and t.id == "code" for t in line.targets)
    }


def test_the_readers_of_source_see_something() -> None:
    assert variables('A = env.str("X")\nB = [env("Y", default=1)]') == {"X", "Y"}
    assert error_codes('class E(Exception):\n    code = "odd"') == {"odd"}
    assert LINK.findall("[a](b.md#c) ![d](e.png)") == ["b.md"]


def test_every_setting_is_documented_and_none_that_is_gone() -> None:
    read = set[str]()
    for path in SETTINGS:
        read |= variables((ROOT / path).read_text("utf-8"))
    assert len(read) > 20
    told = code_words("settings.md")
    assert read - told == set()
    text = (REFERENCE / "settings.md").read_text("utf-8").split("## Tests")[0]
    rows = set(re.findall(r"^\| `([A-Z_]+)`", text, re.MULTILINE))
    assert rows - read == set()


def test_every_error_code_is_documented() -> None:
    codes = set(CODES.values()) | {"unavailable"}
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            codes |= error_codes(path.read_text("utf-8"))
    assert {"invalid_tag", "auth", "throttled"} <= codes
    assert codes - code_words("errors.md") == set()


def test_every_filter_is_documented() -> None:
    names = {*MediaFilters().fields, *PAGING}
    assert len(names) == 12
    assert names - code_words("rest-api.md") == set()


def test_every_field_is_in_the_data_dictionary() -> None:
    fields = {*MediaItemDetailSerializer().fields}
    assert len(fields) > 15
    assert fields - code_words("data-dictionary.md") == set()


def test_every_kind_of_journal_entry_is_documented() -> None:
    assert {kind.value for kind in JournalKind} - code_words("journal.md") == set()


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_of_a_page_leads_nowhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text("utf-8")) if "://" not in t]
    missing = [t for t in targets if not (page.parent / t).resolve().exists()]
    assert missing == []


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 120
    assert "python3 manage.py up" in text
    assert "python3 manage.py test" in text
