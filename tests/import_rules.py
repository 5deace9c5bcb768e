"""Who may import whom, read from the source with ``ast``: no code is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("media_archive", "subscriptions", "photowall")
"""From the ground up."""

BASEMENT = {
    "media_archive": {
        "addresses",
        "batches",
        "before_django",
        "arriving",
        "claims",
        "encryption",
        "errors",
        "files",
        "guarded_connections",
        "guarded_sockets",
        "journal",
        "models",
        "outgoing_http",
        "querysets",
        "records",
        "set_wise",
        "signals",
        "stores",
        "tags",
    },
    "subscriptions": {
        "backoff",
        "coverage_reasons",
        "errors",
        "intervals",
        "ledger",
        "models",
        "providers",
        "transitions",
    },
}
DOORS = {
    "admin",
    "api",
    "apps",
    "callback_door",
    "consumers",
    "door",
    "home",
    "management",
    "receivers",
    "routing",
    "tasks",
    "urls",
    "views",
}
STANDARD_LIBRARY = sys.stdlib_module_names
STANDARD_ONLY = ("media_archive.records",)
PROVIDER_MAY = (
    "media_archive.outgoing_http",
    "media_archive.records",
    "media_archive.errors",
    "subscriptions.providers.base",
    "subscriptions.errors",
)

Imports = Mapping[str, list[tuple[str, bool]]]
"""Module → what it imports (full names), and whether inside a function."""


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Our modules by name, without migrations."""
    found = {}
    for floor in FLOORS:
        for path in sorted((root / floor).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path
    return found


def imports_of(source: str, known: set[str]) -> list[tuple[str, bool]]:
    """What ``source`` imports. ``from a import b`` is ``a.b`` where that is a module
    of ours; what stands below ``if TYPE_CHECKING`` is never imported."""
    tree = ast.parse(source)
    return list(_walk(tree, known, inside=False))


def _walk(
    node: ast.AST, known: set[str], *, inside: bool
) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            for alias in child.names:
                whole = f"{module}.{alias.name}"
                yield (whole if whole in known else module), inside
        else:
            deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _walk(child, known, inside=deeper)


def all_imports(root: Path = ROOT) -> Imports:
    """Every module of ours with what it imports."""
    paths = modules(root)
    return {
        name: imports_of(path.read_text(encoding="utf-8"), {*paths})
        for name, path in paths.items()
    }


def violations(imports: Imports) -> list[str]:
    """One sentence for each broken rule, sorted."""
    found = {
        sentence
        for module, targets in imports.items()
        for target, inside in targets
        for sentence in _broken(module, target, inside=inside)
    }
    return sorted(found | {f"circle: {' → '.join(c)}" for c in circles(imports)})


def _broken(module: str, target: str, *, inside: bool) -> Iterator[str]:
    arrow = f"{module} imports {target}"
    if target.startswith("."):
        yield f"{arrow}: relative"
    if inside:
        yield f"{arrow}: inside a function"
    ours = target.split(".", maxsplit=1)[0] in FLOORS
    if ours and _floor(target) > _floor(module):
        yield f"{arrow}: upwards"
    if _is_wire(module):
        if not _wire_may(module, target):
            yield f"{arrow}: a wire imports the standard library and records only"
    elif _provider(module) and ours and not _provider_may(module, target):
        yield f"{arrow}: a provider imports base, its wire, errors, http, records"
    sandbox = "photowall.sandbox"
    if _below(target, sandbox) and not _below(module, sandbox):
        yield f"{arrow}: nothing imports the sandbox"
    if (
        ours
        and module.split(".", maxsplit=1)[0]
        == target.split(".", maxsplit=1)[0]
        != "photowall"
    ):
        yield from _broken_inside_a_floor(module, target, arrow)


def _broken_inside_a_floor(module: str, target: str, arrow: str) -> Iterator[str]:
    own, other = rank(module), rank(target)
    if own < other:
        words = ("basement", "service", "door")
        yield f"{arrow}: a {words[own]} imports a {words[other]}"


def rank(module: str) -> int:
    """0 basement, 1 service, 2 door."""
    parts = module.split(".")
    if any(part in DOORS or part.startswith(("admin", "api_")) for part in parts[1:]):
        return 2
    floor = BASEMENT.get(parts[0], set())
    return 0 if len(parts) == 1 or parts[1] in floor else 1


def circles(imports: Imports) -> list[tuple[str, ...]]:
    """Circles of imports at the start of modules; each once, from its first name."""
    graph = {
        m: {t for t, i in ts if not i and t in imports} for m, ts in imports.items()
    }
    done: set[str] = set()
    found: set[tuple[str, ...]] = set()

    def visit(module: str, way: list[str]) -> None:
        if module in way:
            circle = way[way.index(module) :]
            start = circle.index(min(circle))
            found.add((*circle[start:], *circle[:start], circle[start]))
        elif module not in done:
            for target in sorted(graph[module]):
                visit(target, [*way, module])
            done.add(module)

    for module in sorted(graph):
        visit(module, [])
    return sorted(found)


def _floor(module: str) -> int:
    return FLOORS.index(module.split(".", maxsplit=1)[0])


def _below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _is_wire(module: str) -> bool:
    return "wire" in module.split(".")


def _provider(module: str) -> str | None:
    """The folder of the provider that ``module`` belongs to."""
    parts = module.split(".")
    if parts[:2] == ["subscriptions", "providers"] and len(parts) > 3:
        return ".".join(parts[:3])
    return None


def _wire_may(module: str, target: str) -> bool:
    package = module[: module.index(".wire") + len(".wire")]
    if target.split(".", maxsplit=1)[0] not in FLOORS:
        return target.split(".", maxsplit=1)[0] in STANDARD_LIBRARY
    # The shapes that a wire fills are the provider contract's frozen classes.
    allowed = (*STANDARD_ONLY, "subscriptions.providers.base")
    return _below(target, package) or target in allowed


def _provider_may(module: str, target: str) -> bool:
    return _below(target, _provider(module) or "") or target in PROVIDER_MAY
