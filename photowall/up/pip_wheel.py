"""pip itself, for a Python that has neither pip nor ensurepip.

Looked for in the distribution's folder of wheels, in `PIP_FIND_LINKS`, on the package
index that pip's configuration names, and last as the program that pip's makers offer
for downloading. Standard library only.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import ssl
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from photowall.up.console import Refusal, say

STANDALONE = "https://bootstrap.pypa.io/pip/pip.pyz"
DISTRIBUTION = sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels"
_NAME = re.compile(r"pip-(\d+(?:\.\d+)+)-py3-none-any\.whl$")
_LIMIT = 16 * 1024 * 1024


def fetch(folder: Path) -> Path:
    """A file that `python FILE install …` runs as pip. Raises Refusal."""
    for wheel in _local():
        # Python runs a wheel as a program only when told where to begin.
        return wheel / "pip"
    say("Fetching pip.")
    tried = []
    for index in _indexes():
        try:
            return _from_index(index, folder) / "pip"
        except (OSError, ValueError) as error:
            tried.append(str(error))
    try:
        target = folder / "pip.pyz"
        target.write_bytes(_download(STANDALONE))
    except OSError as error:
        tried.append(str(error))
        raise Refusal(
            "This Python has neither ensurepip nor pip, and pip could not be "
            f"downloaded ({tried[-1]}); install python3-venv, or set PIP_INDEX_URL."
        ) from error
    return target


def _local() -> Iterator[Path]:
    folders = [DISTRIBUTION, *_configured("find-links")]
    found = [
        path
        for folder in folders
        for path in Path(folder.removeprefix("file://")).glob("pip-*.whl")
        if _NAME.search(path.name)
    ]
    yield from sorted(found, key=lambda path: _version(path.name), reverse=True)


def _version(name: str) -> tuple[int, ...]:
    match = _NAME.search(name)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _indexes() -> list[str]:
    return _configured("index-url") + _configured("extra-index-url")


def _configured(option: str) -> list[str]:
    """What pip would use: its environment variable, else its configuration files."""
    value = os.environ.get("PIP_" + option.upper().replace("-", "_"))
    if value is None:
        home = Path.home()
        files = [
            Path("/etc/pip.conf"),
            home / ".pip" / "pip.conf",
            Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
            / "pip"
            / "pip.conf",
            Path(os.environ.get("PIP_CONFIG_FILE", os.devnull)),
        ]
        parser = configparser.RawConfigParser()
        parser.read([path for path in files if path.is_file()], encoding="utf-8")
        value = parser.get("global", option, fallback="")
    return value.split()


class _Links(HTMLParser):
    """The `href`s of an index page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == "href" and value]


def _from_index(index: str, folder: Path) -> Path:
    page = index.rstrip("/") + "/pip/"
    links = _Links()
    links.feed(_download(page).decode("utf-8", "replace"))
    wheels = {}
    for link in links.found:
        address, fragment = urldefrag(urljoin(page, link))
        if _NAME.search(unquote(address)):
            wheels[_version(unquote(address))] = (address, fragment)
    if not wheels:
        raise ValueError("this index has no pip")
    address, fragment = wheels[max(wheels)]
    content = _download(address)
    wanted = fragment.removeprefix("sha256=")
    if not fragment.startswith("sha256=") or _sha256(content) != wanted:
        raise ValueError("pip's wheel came without its checksum, or with another")
    target = folder / unquote(address).rpartition("/")[2]
    target.write_bytes(content)
    return target


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(address: str) -> bytes:
    certificates = _configured("cert")
    context = ssl.create_default_context(
        cafile=certificates[0] if certificates else None
    )
    with urllib.request.urlopen(  # noqa: S310 - file: is a common kind of index
        address, timeout=30, context=context
    ) as answer:
        content: bytes = answer.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise ValueError("far too large an answer")
    return content
