"""The environment is made and filled; where that cannot be, one sentence says why."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from photowall.up import installer, pip_wheel
from photowall.up.console import Refusal


def offline(monkeypatch: pytest.MonkeyPatch, links: Path) -> None:
    """pip with a folder of wheels and no network."""
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))


def make_wheel(folder: Path) -> Path:
    """A package `sample` 1.0 with one line of code."""
    path = folder / "sample-1.0-py3-none-any.whl"
    info = "sample-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("sample.py", "answer = 42\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def lock_for(wheel: Path) -> Path:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = wheel.parent / "lock.txt"
    lock.write_text(f"sample==1.0 --hash=sha256:{digest}\n")
    return lock


def test_a_folder_we_may_not_write_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lock = lock_for(make_wheel(tmp_path))
    with pytest.raises(Refusal, match=r"^Photowall cannot write to .*\.venv \("):
        installer.fill(tmp_path / "file" / ".venv", lock, lock)


def test_a_package_that_was_tampered_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline(monkeypatch, tmp_path)
    wheel = make_wheel(tmp_path)
    lock = lock_for(wheel)
    with zipfile.ZipFile(wheel, "a") as changed:
        changed.writestr("more.py", "")
    with pytest.raises(Refusal, match=r"install\.log"):
        installer.fill(tmp_path / ".venv", lock, lock)
    assert not installer.is_outdated(tmp_path / ".venv", lock)


def test_an_environment_is_made_filled_and_known_to_be_of_this_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offline(monkeypatch, tmp_path)
    lock = lock_for(make_wheel(tmp_path))
    venv = tmp_path / ".venv"
    installer.fill(venv, lock, lock)
    python = venv / "bin" / "python"
    words = [str(python), "-c", "import sample; print(sample.answer)"]
    assert subprocess.check_output(words, text=True) == "42\n"
    assert "Installing 1 packages 100%" in capsys.readouterr().out
    assert not installer.is_outdated(venv, lock)
    lock.write_text(lock.read_text() + "# newer\n")
    assert installer.is_outdated(venv, lock)


def test_a_python_whose_base_is_gone_does_not_work(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.symlink_to(tmp_path / "removed")
    assert not installer.works(broken)
    assert installer.works(Path(sys.executable))


@pytest.mark.parametrize("right", [False, True])
def test_pip_from_an_index_is_taken_only_with_its_checksum(
    right: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    httpserver: HTTPServer,
) -> None:
    content = b"pip, as it were"
    digest = hashlib.sha256(content if right else b"another").hexdigest()
    older = '<a href="../files/pip-9.0-py3-none-any.whl#sha256=0">older</a>'
    link = f'<a href="../files/pip-30.1-py3-none-any.whl#sha256={digest}">it</a>'
    page = "text/html"
    httpserver.expect_request("/simple/pip/").respond_with_data(
        link + older, content_type=page
    )
    httpserver.expect_request(
        "/simple/files/pip-30.1-py3-none-any.whl"
    ).respond_with_data(content)
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setattr(pip_wheel, "STANDALONE", "http://127.0.0.1:1/pip.pyz")
    monkeypatch.setattr(pip_wheel, "DISTRIBUTION", str(tmp_path / "none"))
    if right:
        program = pip_wheel.fetch(tmp_path)
        assert program.parent.read_bytes() == content
        assert program.parent.name == "pip-30.1-py3-none-any.whl"
    else:
        with pytest.raises(Refusal, match="neither ensurepip nor pip"):
            pip_wheel.fetch(tmp_path)
        assert list(tmp_path.iterdir()) == []
