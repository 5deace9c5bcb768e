"""Whether the running Python already has what a requirements file asks for.

Reads our own `.in` files, not any: names with extras, `-r`, ranges of plain numbers,
markers made of `==`, `!=`, `and` and `or`. Standard library only: it runs before
anything is installed.
"""

from __future__ import annotations

import ast
import importlib.metadata
import operator
import platform
import re
import sys
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?\s*(?P<ranges>[^;#]*)(;(?P<marker>[^#]*))?"
)
_RANGE = re.compile(r"(>=|<=|==|!=|<|>|~=)\s*([0-9][0-9A-Za-z.]*)")
_HERE = {
    "sys_platform": sys.platform,
    "platform_machine": platform.machine(),
    "implementation_name": sys.implementation.name,
    "platform_python_implementation": platform.python_implementation(),
}
_COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


def missing(path: Path) -> list[str]:
    """What the file asks for and this Python lacks, as `name (have, want)`."""
    found = []
    for name, ranges in _wanted(path):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} (absent)")
            continue
        if not fits(version, ranges):
            found.append(f"{name} ({version}, wanted {ranges})")
    return found


def _wanted(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("-r"):
            yield from _wanted(path.parent / line[2:].strip())
        elif line and not line.startswith(("#", "-")):
            match = _LINE.match(line)
            if match is None:
                raise ValueError(f"{path.name}: cannot read {line!r}")
            if applies(match["marker"] or ""):
                yield match["name"], match["ranges"].strip()


def fits(version: str, ranges: str) -> bool:
    """Whether a version lies in all ranges, such as `>=1.2,<2`. Numbers only."""
    have = _numbers(version)
    for sign, text in _RANGE.findall(ranges):
        want = _numbers(text)
        pairs = list(zip_longest(have, want, fillvalue=0))
        padded = tuple(one for one, _ in pairs), tuple(two for _, two in pairs)
        if not _COMPARE[sign](*padded):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """1.2.post1 is (1, 2): what comes after the numbers does not matter to us."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else (0,)


def applies(marker: str) -> bool:
    """Whether a marker holds here; an empty one does."""
    if not marker.strip():
        return True
    return bool(_value(ast.parse(marker.strip(), mode="eval").body))


def _value(node: ast.expr) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in _HERE:
        return _HERE[node.id]
    if isinstance(node, ast.BoolOp):
        values = [bool(_value(part)) for part in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        same = _value(node.left) == _value(node.comparators[0])
        if isinstance(node.ops[0], ast.Eq):
            return same
        if isinstance(node.ops[0], ast.NotEq):
            return not same
    raise ValueError(f"this marker is beyond us: {ast.unparse(node)}")


def pinned(lock: Path) -> int:
    """How many packages a lock file installs, about: markers are not weighed."""
    text = lock.read_text(encoding="utf-8")
    return len(set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)))
