"""The pages of the site that are made of the package: nothing of them is written by hand."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final

import jupytext
import typer.main

from engram_lab.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["ROOMS", "docstring_box", "made_pages", "notebook_names", "public_names"]

ROOMS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "engine": ("Engine", "One object to remember, recall, dream and undo.", ("engram_lab.engine",)),
    "nouns": (
        "Nouns",
        "What a store holds, and the clocks that it goes by.",
        ("engram_lab.core.types", "engram_lab.core.dreams", "engram_lab.core.clock"),
    ),
    "configuration": ("Configuration", "What can be set.", ("engram_lab.config",)),
    "errors": ("Errors", "Everything that is raised on purpose.", ("engram_lab.core.errors",)),
    "interchange": ("Import and export", "In and out.", ("engram_lab.core.interchange",)),
    "store": ("Store", "What a store is, whoever wrote it.", ("engram_lab.core.protocols",)),
    "recall": (
        "Recall",
        "Hits and their reasons, and every part that can be named or replaced.",
        (
            "engram_lab.retrieval",
            "engram_lab.retrieval.embedders",
            "engram_lab.retrieval.dense",
            "engram_lab.retrieval.fusion",
            "engram_lab.retrieval.rerank",
            "engram_lab.retrieval.features",
        ),
    ),
    "dreams": (
        "Dreams",
        "Reports, steps, laws of decay and summarisers.",
        (
            "engram_lab.consolidation",
            "engram_lab.consolidation.decay",
            "engram_lab.consolidation.abstract",
        ),
    ),
    "judge": ("Judge", "Run, score, compare, gate, promote.", ("engram_lab.evaluation",)),
    "plots": ("Plots", "Frames in, Altair charts out.", ("engram_lab.plots",)),
    "testing": ("Testing plug-ins", "What a part must keep.", ("engram_lab.testing",)),
}
"""Pages of the Python reference: title, what it is about, and the modules whose names it has."""

SOURCES_SAID: Final = """\
Where a formula, a rule or a figure was taken from somebody, the docstring beside the code says from
whom. This is all of them."""

SECTIONS: Final = {
    "core": "Store",
    "engine": "Engine",
    "retrieval": "Recall",
    "consolidation": "Dreams",
    "evaluation": "Judge",
    "plots": "Plots",
    "serve": "Server",
}


def made_pages(root: Path) -> dict[str, str]:
    """Return the made pages by their path in the site."""
    return {
        "reference/cli.md": cli_page(),
        "explanation/sources.md": sources_page(root),
        "explanation/architecture.md": (root / "ARCHITECTURE.md").read_text(encoding="utf-8"),
        "changes.md": (root / "CHANGELOG.md").read_text(encoding="utf-8"),
        "notebooks/index.md": notebooks_page(root),
        **{f"notebooks/{name}.md": notebook_page(root, name) for name in notebook_names(root)},
        **{
            f"how-to/runbooks/{path.name}": _deeper(path.read_text(encoding="utf-8"))
            for path in sorted((root / "deploy" / "runbooks").glob("*.md"))
        },
        **api_pages(),
    }


def _deeper(text: str) -> str:
    """Indent what belongs to the points of a list by four, as this Markdown wants it."""
    return re.sub(r"^ {3}(?=\S| )", "    ", text, flags=re.MULTILINE)


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield a command and all below it, with what is typed to call them."""
    yield name, group
    for each in getattr(group, "commands", {}).values():
        yield from commands(each, f"{name} {each.name}")


def cli_page() -> str:
    """Return every command with its arguments and options, as Typer tells them."""
    words = [sys.executable, "-m", "typer", "engram_lab.cli", "utils", "docs", "--name", "engram"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
    text = text.replace("# `engram`\n", "# Command line\n", 1)
    for name, group in commands(typer.main.get_command(app), "engram"):
        if children := getattr(group, "commands", None):
            listed = re.compile(
                rf"({re.escape(f'$ {name} [OPTIONS] COMMAND')}.*?\*\*Commands\*\*:\n\n)"
                r"(?:\* [^\n]*\n)+",
                re.DOTALL,
            )
            rows = "".join(_command_row(f"{name} {each.name}", each) for each in children.values())
            text = _replaced(listed, rows, text)
    return re.sub(r"^###+ ", "### ", text, flags=re.MULTILINE)


def _command_row(name: str, command: Any) -> str:
    said = (command.help or "").strip().splitlines()[0]
    return f"* [`{name}`](#{name.replace(' ', '-')}): {said}\n"


def _replaced(listed: re.Pattern[str], rows: str, text: str) -> str:
    """Put rows in the place of the list that follows what a pattern keeps."""
    found = listed.search(text)
    return text if found is None else text[: found.end(1)] + rows + text[found.end() :]


def public_names(module: str) -> list[str]:
    """Return the names that a module offers, without modules below it."""
    found = import_module(module)
    return [each for each in found.__all__ if not inspect.ismodule(getattr(found, each))]


def api_pages() -> dict[str, str]:
    """Return the pages of the Python reference: each public name once, at its first place."""
    seen: dict[int, str] = {}
    made: dict[str, str] = {}
    for page, (title, about, modules) in ROOMS.items():
        lines = [f"# {title}", "", about]
        for module in modules:
            names = [
                name
                for name in sorted(public_names(module), key=lambda each: each != title)
                if seen.setdefault(id(getattr(import_module(module), name)), f"{module}.{name}")
                == f"{module}.{name}"
            ]
            lines += ["", f"From `{module}`:", ""]
            lines += [f"::: {_told_of(module, name)}\n" for name in names]
        made[f"reference/api/{page}.md"] = "\n".join([*lines, ""])
    made["reference/api/index.md"] = _api_index()
    return made


def _told_of(module: str, name: str) -> str:
    """Return where the docstring of a name is read: not from a module that is called as it is."""
    package = import_module(module)
    if hasattr(package, "__path__") and find_spec(f"{module}.{name}") is not None:
        return f"{getattr(package, name).__module__}.{name}"
    return f"{module}.{name}"


def _api_index() -> str:
    rows = [
        f"| [{title}]({page}.md) | {about} | {', '.join(f'`{each}`' for each in modules)} |"
        for page, (title, about, modules) in ROOMS.items()
    ]
    nouns = ", ".join(f"`{each}`" for each in import_module("engram_lab").__all__)
    return "\n".join(
        [
            "# Python",
            "",
            f"From `engram_lab` itself: {nouns}.",
            "",
            "| page | what | modules |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def notebook_names(root: Path) -> dict[str, str]:
    """Return the notebooks by file name, with their titles."""
    return {
        path.stem: re.findall(r"^# # (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)[0]
        for path in sorted((root / "notebooks").glob("[0-9]*.py"))
    }


def notebook_page(root: Path, name: str) -> str:
    """Return a notebook as a page: its texts and its code, as it is kept without outputs."""
    book = jupytext.read(root / "notebooks" / f"{name}.py")
    text: str = jupytext.writes(book, fmt="markdown")
    text = re.sub(r"\A---\n.*?\n---\n+", "", text, flags=re.DOTALL)
    return f"{text}\n---\n\nThis is `notebooks/{name}.py`; `engram lab` opens it to be run.\n"


def notebooks_page(root: Path) -> str:
    """Return the list of notebooks, each with a link to its page."""
    text = (root / "notebooks" / "README.md").read_text(encoding="utf-8")
    return re.sub(r"^\| `(\d\w+)` \|", r"| [`\1`](\1.md) |", text, flags=re.MULTILINE)


def docstring_box(name: str, title: str = "") -> str:
    """Return what the docstring of an object says, up to its first list, as a box."""
    found = resolve_name(name)
    text = re.split(
        r"^(?:Args|Attributes|Raises|Returns|Yields|Guarantees):",
        inspect.getdoc(found) or "",
        maxsplit=1,
        flags=re.MULTILINE,
    )[0]
    text = re.sub(r"^Source: ", "*Source:* ", text.strip(), flags=re.MULTILINE)
    text = re.sub(r"(?<=\S)\*(?=\S)", r"\\*", text) if "*Source:*" not in text else text
    body = "\n".join(f"    {line}" if line else "" for line in text.splitlines())
    return f'!!! abstract "{title or name.rpartition(".")[2]}"\n\n{body}\n'


def sources_page(root: Path) -> str:
    """Return whose work the package builds on: what docstrings name as their source."""
    lines = [
        "# Sources",
        "",
        SOURCES_SAID,
    ]
    for folder, title in SECTIONS.items():
        lines += ["", f"## {title}", ""]
        for path in sorted((root / "engram_lab" / folder).rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            lines += [f"- `{where}`: {told}" for where, told in _sources(tree, module)]
    return "\n".join([*lines, ""])


def _sources(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    for name, text in _docstrings(tree):
        told = re.search(r"^Source: (.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        if told:
            yield f"{module.removesuffix('.__init__')}{name}", " ".join(told[1].split())


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the docstrings of a module, its classes, functions and constants, with their names."""
    yield "", ast.get_docstring(tree) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f".{node.name}", ast.get_docstring(node) or ""
    for node, after in pairwise(tree.body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            match after:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield f".{node.target.id}", inspect.cleandoc(text)
                case _:
                    pass
