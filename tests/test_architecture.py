"""The laws of the house, held by reading the source: layers, sizes, and who may call what."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
OUR_DATASETS = str(ROOT / "datasets")
PACKAGE = "engram_lab"

# High to low; the parts of one layer never import each other.
LAYERS = (
    ("cli", "testing", "notebook"),
    ("serve", "evaluation"),
    ("engine", "plots"),
    ("retrieval", "consolidation"),
    ("config",),
    ("core",),
)
HEIGHT = {part: len(LAYERS) - row for row, layer in enumerate(LAYERS) for part in layer}

ROOF = len(LAYERS) - 0.5  # the package's own names: above all but the highest layer

# Which modules may import a package, as a pattern over the module's whole name.
OWNERS = {
    "IPython": r"engram_lab\.notebook(\..+)?",
    "fastapi": r"engram_lab\.serve(\..+)?",
    "obstore": r"engram_lab\.serve\.backups(\..+)?",
    "faiss": r"engram_lab\.(.+\.)?\w*faiss\w*",
    "torch": r"engram_lab\.retrieval\.embedders(\..+)?",
    "sentence_transformers": r"engram_lab\.retrieval\.embedders(\..+)?",
    "open_clip": r"engram_lab\.retrieval\.embedders(\..+)?",
    "onnxruntime": r"engram_lab\.retrieval\.embedders(\..+)?",
    "apsw": r"engram_lab\.core\.sqlite(\..+)?",
    "sqlite3": r"engram_lab\.core\.sqlite(\..+)?",
    "sqlalchemy": r"engram_lab\.serve\.control(\..+)?",
    "psycopg": r"engram_lab\.serve\.control(\..+)?",
    "argon2": r"engram_lab\.serve\.auth(\..+)?",
    "joserfc": r"engram_lab\.serve\.auth(\..+)?",
    "redis": r"engram_lab\.serve\.limits(\..+)?",
    "structlog": r"engram_lab\.serve\.observing(\..+)?",
    "prometheus_client": r"engram_lab\.serve\.observing(\..+)?",
    "opentelemetry": r"engram_lab\.serve\.observing(\..+)?",
    "mcp": r"engram_lab\.serve\.mcp(\..+)?",
    "vl_convert": r"engram_lab\.plots(\..+)?",
}

CLOCK = "engram_lab.core.clock"
READS_THE_CLOCK = re.compile(
    r"datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
    r"|time\.(time|time_ns|localtime|gmtime|ctime|strftime)"
)
GLOBAL_CHANCE = re.compile(
    r"random\.(?!Random$|SystemRandom$)\w+"
    r"|numpy\.random\.(?!default_rng$|Generator$|SeedSequence$|BitGenerator$|PCG64|Philox$)\w+"
    r"|uuid(_utils)?\.uuid[1467]"
)
UNSEEDED = re.compile(r"random\.Random|numpy\.random\.(default_rng|SeedSequence|PCG64|Philox)")

MAX_MODULE_LINES = 350
MAX_FUNCTION_LINES = 60

# Put together, so that this file does not find itself.
UNFINISHED = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b"
    "|" + "NotImplemented" + "Error|assert " + r"True\b|pytest\." + r"skip\(\)"
)


@dataclass(frozen=True)
class Source:
    """One module of the package."""

    name: str
    text: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return parsed(self.text)

    @property
    def part(self) -> str:
        """The room it lies in; the package's own `__init__` has none."""
        return [*self.name.split("."), ""][1]


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def sources() -> tuple[Source, ...]:
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    names = [path.relative_to(ROOT).with_suffix("").parts for path in paths]
    return tuple(
        Source(
            ".".join(part for part in parts if part != "__init__"),
            path.read_text(encoding="utf-8"),
            is_package=path.name == "__init__.py",
        )
        for path, parts in zip(paths, names, strict=True)
    )


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything imported, at any depth and under TYPE_CHECKING too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = source.name.split(".")
            above = parts[: len(parts) - node.level + source.is_package] if node.level else []
            base = [*above, node.module] if node.module else above
            yield from ((node.lineno, ".".join([*base, each.name])) for each in node.names)


def layer_faults(source: Source) -> Iterator[str]:
    """Yield imports that climb or reach a sibling.

    What the package itself offers, as in `from engram_lab import Engine`, is for the top layer.
    """
    for line, name in imports(source):
        package, part, *_ = [*name.split("."), ""]
        if package != PACKAGE or not source.part or part == source.part:
            continue
        if HEIGHT.get(part, ROOF) >= HEIGHT[source.part]:
            yield f"{source.name}:{line} imports {name}"


def owner_faults(source: Source) -> Iterator[str]:
    """Yield imports of a package that another room owns."""
    for line, name in imports(source):
        owner = OWNERS.get(name.split(".")[0])
        if owner and not re.fullmatch(owner, source.name):
            yield f"{source.name}:{line} imports {name}"


def names_used(source: Source) -> Iterator[tuple[ast.expr, str]]:
    """Yield every name or attribute that leads to an import, under its full name."""
    known: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.split(".")[0]
                known[each.asname or top] = each.name if each.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            known |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, *rest = ast.unparse(node).split(".")
            if first in known:
                yield node, ".".join([known[first], *rest])


def chance_and_time_faults(source: Source) -> Iterator[str]:
    """Yield uses of the machine's clock, of a global random generator, and of an unseeded one."""
    unseeded = {
        id(node.func)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and not node.args and not node.keywords
    }
    for node, name in names_used(source):
        clock = READS_THE_CLOCK.fullmatch(name) and source.name != CLOCK
        chance = GLOBAL_CHANCE.fullmatch(name) or (
            id(node) in unseeded and UNSEEDED.fullmatch(name)
        )
        if clock or chance:
            yield f"{source.name}:{node.lineno} uses {name}"


def size_faults(source: Source) -> Iterator[str]:
    """Yield a module, and functions, too long to be read in one go."""
    if (lines := len(source.text.splitlines())) > MAX_MODULE_LINES:
        yield f"{source.name} has {lines} lines"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = height(node) - (height(node.body[0]) if ast.get_docstring(node) else 0)
            if lines > MAX_FUNCTION_LINES:
                yield f"{source.name}:{node.lineno} {node.name} has {lines} lines"


def height(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_every_room_has_a_layer() -> None:
    assert {source.part for source in sources()} - {""} <= set(HEIGHT)


@pytest.mark.parametrize(
    "faults", [layer_faults, owner_faults, chance_and_time_faults, size_faults]
)
def test_the_source_keeps_the_law(faults: Callable[[Source], Iterator[str]]) -> None:
    assert [fault for source in sources() for fault in faults(source)] == []


@pytest.mark.parametrize(
    ("module", "line", "allowed"),
    [
        ("core.store", "from engram_lab.retrieval import recall", False),
        ("core.store", "from engram_lab import Engine", False),
        ("core.store", "if TYPE_CHECKING:\n    import engram_lab.engine", False),
        ("core.store", "def late() -> None:\n    from engram_lab import config", False),
        ("core.store", "from ..config import EngineConfig", False),
        ("core.store", "from .types import Memory", True),
        ("retrieval.recall", "from engram_lab.consolidation import dream", False),
        ("retrieval.recall", "from engram_lab.core.types import Memory", True),
        ("cli.app", "from engram_lab.testing import check_store", False),
        ("cli.app", "from engram_lab.serve import app", True),
        ("cli.app", "from engram_lab import Engine", True),
        ("serve.app", "from engram_lab import Engine", False),
        ("serve.app", "from engram_lab.evaluation import Run", False),
        ("engine", "from engram_lab.retrieval import recall", True),
    ],
)
def test_the_scan_sees_an_import_that_climbs(module: str, line: str, *, allowed: bool) -> None:
    assert (not list(layer_faults(Source(f"{PACKAGE}.{module}", line)))) is allowed


@pytest.mark.parametrize(
    ("module", "line", "allowed"),
    [
        ("serve.app", "from fastapi import FastAPI", True),
        ("cli.serve", "import fastapi", False),
        ("retrieval.faiss_index", "import faiss", True),
        ("retrieval.vectors", "import faiss", False),
        ("retrieval.embedders.minilm", "import torch.nn", True),
        ("retrieval.rerank", "import sentence_transformers", False),
        ("core.sqlite.database", "import apsw", True),
        ("core.backup", "import sqlite3", False),
    ],
)
def test_the_scan_sees_a_package_in_the_wrong_room(
    module: str, line: str, *, allowed: bool
) -> None:
    assert (not list(owner_faults(Source(f"{PACKAGE}.{module}", line)))) is allowed


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("import random\nrandom.shuffle(x)", False),
        ("from random import choice\nchoice(x)", False),
        ("from random import Random\nRandom(7).random()", True),
        ("from random import Random\nRandom()", False),
        ("import numpy as np\nnp.random.rand(3)", False),
        ("import numpy as np\nnp.random.default_rng()", False),
        ("import numpy as np\nnp.random.default_rng(seed)", True),
        ("from datetime import datetime\ndatetime.now(UTC)", False),
        ("import datetime as dt\nfield(default_factory=dt.datetime.utcnow)", False),
        ("from datetime import datetime\ndatetime.fromisoformat(x)", True),
        ("import time\ntime.time()", False),
        ("from time import time\ntime()", False),
        ("import time\ntime.perf_counter()", True),
        ("clock.now()", True),
    ],
)
def test_the_scan_sees_chance_and_time(text: str, *, allowed: bool) -> None:
    assert (not list(chance_and_time_faults(Source(f"{PACKAGE}.core.store", text)))) is allowed


def test_the_scan_sees_size() -> None:
    docstring = '    """One.\n' + "\n" * 80 + '    """\n'
    short = "def f():\n" + docstring + "    g()\n" * 59
    long = "def f():\n" + docstring + "    g()\n" * 60

    assert list(size_faults(Source("engram_lab.core.short", short))) == []
    assert list(size_faults(Source("engram_lab.core.long", long))) == [
        "engram_lab.core.long:1 f has 61 lines"
    ]
    assert list(size_faults(Source("engram_lab.core.wide", "x = 1\n" * 351))) == [
        "engram_lab.core.wide has 351 lines"
    ]


def test_import_linter_agrees() -> None:
    pytest.importorskip("importlinter", reason="import-linter belongs to the lint group")
    program = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", [PACKAGE, "tests"])
def test_nothing_is_left_unfinished(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_datasets_holds_data_only() -> None:
    assert list((ROOT / "datasets").rglob("*.py")) == []


@pytest.mark.parametrize("folder", ["datasets", "evals", "notebooks", "tests"])
def test_the_other_folders_are_no_packages(folder: str) -> None:
    assert list((ROOT / folder).rglob("__init__.py")) == []


def test_pytest_leaves_the_root_off_the_path() -> None:
    on_path = {str(Path(each).resolve()) for each in sys.path}
    asked_for = set(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    if str(ROOT) not in asked_for:  # else it is the developer's own wish
        assert str(ROOT) not in on_path, (
            "run `pytest`: `python -m pytest` puts the root on sys.path"
        )
        assert OUR_DATASETS not in str(importlib.util.find_spec("datasets"))


def test_the_installation_leaves_the_root_off_the_path(tmp_path: Path) -> None:
    program = (
        "import importlib.util, sys; print(sys.path); print(importlib.util.find_spec('datasets'))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    path, spec = done.stdout.splitlines()
    assert str(ROOT) not in ast.literal_eval(path)
    assert OUR_DATASETS not in spec
