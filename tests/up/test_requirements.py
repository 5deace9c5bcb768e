"""What a requirements file asks for is compared with what is installed."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from photowall.up.requirements import applies, fits, missing, pinned


@pytest.mark.parametrize(
    ("version", "ranges"),
    [
        ("5.1.9", ">=5.2.19,<5.3"),
        ("5.3", ">=5.2.19,<5.3"),
        ("5.3.0", "<5.3"),
        ("1.0", "!=1.0"),
        ("24.4.1", "==24.4.2"),
        ("9.9", ">=9.10"),
    ],
)
def test_a_version_outside_the_ranges_does_not_fit(version: str, ranges: str) -> None:
    assert fits(version, ranges) is False


@pytest.mark.parametrize(
    ("version", "ranges"),
    [
        ("5.2.19", ">=5.2.19,<5.3"),
        ("9.10", ">=9.9"),
        ("9.1.2.post2", ">=9.1.2,<10"),
        ("1.0.0", "==1"),
        ("anything", ""),
    ],
)
def test_a_version_inside_the_ranges_fits(version: str, ranges: str) -> None:
    assert fits(version, ranges) is True


def test_what_is_absent_or_too_old_is_named_and_nothing_else(tmp_path: Path) -> None:
    have = importlib.metadata.version("django")
    (tmp_path / "base.in").write_text(
        "# a comment\n"
        "django>=99\n"
        "pytest>=1\n"
        'no-such-package ; sys_platform == "elsewhere"\n'
    )
    (tmp_path / "more.in").write_text(
        f'-r base.in\n-c base.txt\n\nno-such-package[extra]>=1 ; sys_platform == "'
        f'{sys.platform}"\n'
    )
    assert missing(tmp_path / "more.in") == [
        f"django ({have}, wanted >=99)",
        "no-such-package (absent)",
    ]


def test_a_line_nobody_understands_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "base.in").write_text("@@@\n")
    with pytest.raises(ValueError, match="cannot read"):
        missing(tmp_path / "base.in")


def test_markers() -> None:
    here = f'sys_platform == "{sys.platform}"'
    assert applies("")
    assert applies(here)
    assert applies(f'sys_platform == "elsewhere" or {here}')
    assert not applies(f'sys_platform == "elsewhere" and {here}')
    with pytest.raises(ValueError, match="beyond us"):
        applies('python_version < "3"')


def test_our_own_files_can_be_read() -> None:
    root = Path(__file__).resolve().parents[2]
    assert missing(root / "requirements-test.in") == []
    assert pinned(root / "requirements.txt") > 50
