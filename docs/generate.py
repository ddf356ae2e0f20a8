"""Put the sources of the documentation site together in build/docs.

python docs/generate.py           write build/docs and build/zensical.toml
python docs/generate.py FOLDER    write them there

Pages are written by hand in this folder, or made of the package: see `made_pages.py`. In a page by
hand, two kinds of marks are filled in, so that it tells what others tell already:

<!-- section: README.md/Recall -->       what stands in a document under that heading
<!-- docstring: engram_lab.core.ids -->  what the docstring of an object says, with its source

Tables stand in the pages already: evals/tables.py writes them. A block of code in the language
`math` is a formula in LaTeX, and becomes MathML.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from latex2mathml.converter import convert
from made_pages import docstring_box, made_pages, notebook_names

ROOT: Final = Path(__file__).resolve().parent.parent
HERE: Final = ROOT / "docs"
APART: Final = ("README.md",)
"""What is about this folder, and no page."""

ASSETS: Final = {
    "docs/site.css": "assets/site.css",
    "evals/simulations/power.svg": "assets/power.svg",
}
"""Files of the repository that pages use, and where they lie in the site."""

_MARK: Final = re.compile(r"^<!-- (section|docstring): (.+?) -->$", re.MULTILINE)
_FORMULA: Final = re.compile(r"^```math\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS: Final = re.compile(r"^( *)```console\n(?! *\$ )", re.MULTILINE)
_INTERVAL: Final = re.compile(r"(?<=\[)([+-]?[\d.]+), ([+-]?[\d.]+)(?=\])")
_LINK: Final = re.compile(r"(?<=\]\()([\w./-]+)(?=\))")


def section(document: str, title: str) -> str:
    """Return what stands under a heading of a document, up to the next heading of any level.

    Raises:
        ValueError: There is no such heading, or there are several.
    """
    text = (ROOT / document).read_text(encoding="utf-8")
    found: list[str] = re.findall(
        rf"^#+ {re.escape(title)}\n(.*?)(?=^#{{1,6}} |\Z)",
        _shielded(text),
        re.MULTILINE | re.DOTALL,
    )
    if len(found) != 1:
        raise ValueError(f"{document} has {len(found)} headings {title!r}: one is needed")
    return found[0].replace("\0", "#").strip()


def _shielded(text: str) -> str:
    """Hide the comments in blocks of code, which begin as headings do."""
    return re.sub(
        r"^```.*?^```",
        lambda block: re.sub(r"^#", "\0", block[0], flags=re.MULTILINE),
        text,
        flags=re.MULTILINE | re.DOTALL,
    )


def _filled(mark: re.Match[str]) -> str:
    kind, told = mark[1], mark[2]
    if kind == "docstring":
        name, _, title = told.partition(" | ")
        return docstring_box(name, title)
    document, name = told.rsplit("/", 1)
    return section(document, name)


def _relinked(text: str, page: str) -> str:
    """Let links to files of the repository lead to where those lie in the site."""
    up = "../" * page.count("/")

    def there(link: re.Match[str]) -> str:
        file = Path(os.path.normpath(HERE / page / ".." / link[0]))
        name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else ""
        return up + ASSETS[name] if name in ASSETS else link[0]

    return _LINK.sub(there, text)


def _unbroken(text: str) -> str:
    """Keep an interval in one line of its cell."""
    return _INTERVAL.sub("\\1,\u00a0\\2", text)


def _as_shell(text: str) -> str:
    """Let commands be coloured: without a `$` before it, a line of a console is output."""
    return _COMMANDS.sub(r"\1```sh\n", text)


def _typeset(formula: re.Match[str]) -> str:
    """Return a formula as MathML, which browsers draw without a script."""
    return f'<div class="formula">{convert(formula[1].strip(), display="block")}</div>'


def filled(text: str, page: str) -> str:
    """Return a page with its marks filled in and its formulas set."""
    text = _as_shell(_MARK.sub(_filled, text))
    return _unbroken(_relinked(_FORMULA.sub(_typeset, text), page))


def pages() -> dict[str, str]:
    """Return every page of the site by its path in it, by hand and made."""
    found = {
        path.relative_to(HERE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(HERE.rglob("*.md"))
        if path.relative_to(HERE).as_posix() not in APART
    }
    return {name: filled(text, name) for name, text in {**found, **made_pages(ROOT)}.items()}


def settings_of_the_site() -> str:
    """Return the configuration of the site, with every notebook in its navigation."""
    lines = [
        f'{{ "{title}" = "notebooks/{name}.md" }},' for name, title in notebook_names(ROOT).items()
    ]
    text = (HERE / "zensical.toml").read_text(encoding="utf-8")
    text = text.replace("# NOTEBOOKS", "\n        ".join(lines))
    return text.replace('paths = [".."]', f"paths = {json.dumps([str(ROOT)])}")


def write(folder: Path) -> None:
    """Write the sources of the site, and its configuration, into a folder anew."""
    shutil.rmtree(folder / "docs", ignore_errors=True)
    for name, text in pages().items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for source, name in ASSETS.items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, path)
    (folder / "zensical.toml").write_text(settings_of_the_site(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build")
