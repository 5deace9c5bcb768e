"""What people see, as files: the page's modules, style sheets and templates."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from media_archive.wall_sizes import sizes_for

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "media_archive" / "static" / "media_archive"
MODULES = sorted(STATIC.glob("*.js"))
STYLES = sorted(STATIC.glob("*.css"))
TEMPLATES = sorted(
    [
        *(ROOT / "templates").glob("*.html"),
        *(ROOT / "templates" / "media_archive").glob("*.html"),
    ]
)
LARGEST_KB = 30
MOST_LINES = 250

IMPORT = re.compile(
    r"^(?:import|export)\s(?:[\w*\s{},]*?\sfrom\s*)?[\"']([^\"']+)[\"'](;?)",
    re.MULTILINE,
)
DYNAMIC_IMPORT = re.compile(r"\bimport\(\s*[\"']([^\"']+)[\"']\s*\)(;?)")
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
# What makes markup of text, or code of either.
DANGER = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function"
    r"|createContextualFragment|DOMParser|srcdoc|setHTML)\b"
)
EXTERNAL = re.compile(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)
NAMESPACE = "http://www.w3.org/2000/svg"


def code_of(path: Path) -> str:
    """The file without its comments."""
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def bare(path: Path) -> str:
    """The file without comments and blank lines."""
    return re.sub(r"\n\s*\n", "\n", code_of(path))


def test_unit_tests_of_the_modules() -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Node is not installed, and in CI these tests must run.")
        warnings.warn(
            "NODE IS NOT INSTALLED: FRONT-END UNIT TESTS DID NOT RUN", stacklevel=1
        )
        return
    files = sorted(
        str(path) for path in (ROOT / "tests" / "front_end").glob("*.test.mjs")
    )
    assert files
    run = subprocess.run(
        [node, "--test", *files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"pass (\d+)", run.stdout)
    assert passed
    assert int(passed[1]) >= len(files)


def test_page_and_server_agree_how_wide_a_picture_is(tmp_path: Path) -> None:
    """Else the file that is preloaded is not the one that is shown."""
    node = shutil.which("node")
    if node is None:
        return  # said above, and a failure there in CI
    ratios = [(1080, 1080), (1600, 900), (1080, 1350), (2000, 1000), (3000, 701)]
    asked = json.dumps([width / height for width, height in ratios])
    script = tmp_path / "ask.mjs"
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name in ("picture.js", "text.js"):
        shutil.copy(STATIC / name, tmp_path)
    script.write_text(
        'import { sizesFor } from "./picture.js";\n'
        f"console.log(JSON.stringify({asked}.map((ratio) => sizesFor(ratio))));"
    )
    run = subprocess.run([node, script], capture_output=True, check=True)
    assert json.loads(run.stdout) == [sizes_for(*each) for each in ratios]


def test_every_module_can_be_parsed(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        return  # said above, and a failure there in CI
    assert parses(node, tmp_path, "export const a = 1;")
    assert not parses(node, tmp_path, "export const a = (1;")
    for path in MODULES:
        assert parses(node, tmp_path, path.read_text(encoding="utf-8")), path.name


def parses(node: str, folder: Path, code: str) -> bool:
    """Whether ``code`` is a module without errors of grammar."""
    file = folder / "module.mjs"
    file.write_text(code, encoding="utf-8")
    run = subprocess.run([node, "--check", file], capture_output=True, check=False)
    return run.returncode == 0


def imports_of(code: str) -> list[tuple[str, str]]:
    """Every imported name in a module, and the semicolon after it (or nothing)."""
    return IMPORT.findall(code) + DYNAMIC_IMPORT.findall(code)


def test_every_import_names_a_module_that_is_there() -> None:
    found = 0
    for path in MODULES:
        for name, semicolon in imports_of(code_of(path)):
            found += 1
            # The hashing of static files rewrites these forms and no others.
            assert re.fullmatch(r"\./[\w-]+\.js", name), f"{path.name} imports {name}"
            assert semicolon, f"{path.name}: no semicolon after {name}"
            assert (STATIC / name).is_file(), f"{path.name} imports {name}"
    assert found > 20


def test_an_import_of_nothing_would_be_found() -> None:
    assert imports_of('import { a } from "./gone.js";') == [("./gone.js", ";")]
    assert imports_of('await import("./gone.js")') == [("./gone.js", "")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_short_says_what_it_is_and_makes_no_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = code_of(path)
    assert text.startswith("/**\n * "), "no header comment"
    assert len(text.splitlines()) <= MOST_LINES
    assert not DANGER.search(code)
    assert not re.search(
        r"^\s*export\b[^;{]*\bfrom\b|^\s*export\s*\{[^}]*\}\s*from", code, re.MULTILINE
    )
    assert "import.meta" not in code
    assert not EXTERNAL.search(code.replace(NAMESPACE, ""))
    assert not re.search(r"\bsetInterval\([^)]*fetch", code)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_loads_only_our_own(path: Path) -> None:
    code = code_of(path)
    for address in re.findall(r"url\(\"?([^\")]+)\"?\)", code):
        # "#…" is a part of the page itself.
        assert address.startswith("#") or (path.parent / address).is_file(), address
    assert "@import" not in code
    assert not EXTERNAL.search(code)
    # Both cost a repaint of everything behind them at every frame.
    assert not re.search(r"(?<![\w-])(?:backdrop-)?filter\s*:", code)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_inline_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"<style|\sstyle=|\son[a-z]+=|javascript:", text, re.IGNORECASE
    )
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"\|safe\b|autoescape|mark_safe", text)
    assert not EXTERNAL.search(text)


def test_scripts_and_styles_of_the_wall_are_small() -> None:
    """What the browser runs, compressed; the comments are for us, not for it."""
    elsewhere = {"home", "admin", "api_docs"}
    sizes = {
        path.name: len(gzip.compress(bare(path).encode(), 9))
        for path in MODULES + STYLES
        if path.stem not in elsewhere
    }
    assert len(sizes) > 15
    assert sum(sizes.values()) <= LARGEST_KB * 1000, sizes


def test_the_typeface_comes_with_its_licence() -> None:
    fonts = STATIC / "fonts"
    licence = (fonts / "inter-OFL.txt").read_text(encoding="utf-8")
    assert "SIL Open Font License" in licence or "SIL OPEN FONT LICENSE" in licence
    assert all(font.read_bytes()[:4] == b"wOF2" for font in fonts.glob("*.woff2"))
