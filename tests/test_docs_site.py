"""The documentation site: every link leads somewhere, and what exists is on its page."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import unicodedata
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import engram_lab
from engram_lab.cli import app, main
from engram_lab.config import EngineConfig, ServerConfig
from engram_lab.core.errors import EngramError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def shown(page: str) -> tuple[list[str], list[str]]:
    """Return the commands and the blocks of Python that a page by hand shows."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    lines = [line for block in blocks("console", text) for line in block.splitlines()]
    return lines, blocks("python", text)


SHOWING = [
    page
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if any(shown(page := path.relative_to(ROOT / "docs").as_posix()))
]
"""Pages by hand that show commands or Python of their own, which is run: commands first."""


def script(name: str) -> Any:
    """Return a script of docs/, as it is imported when another of them runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        return import_module(name)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    found: dict[str, str] = script("generate").pages()
    return found


def headings(text: str) -> set[str]:
    """Return the anchors of a page, made of its headings as Python-Markdown makes them."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = set()
    for title in re.findall(r"^#+ (.*)$", plain, re.MULTILINE):
        letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
        found.add(re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", letters).strip().lower()))
    return found


def links(pages: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield the page of each internal link, the page that it leads to, and the anchor there."""
    for name, text in pages.items():
        # A link may hold code, so its target is looked for before code is left out.
        shown = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", shown):
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            where = (Path("/") / Path(name).parent / path).resolve() if path else Path("/") / name
            yield name, where.relative_to("/").as_posix(), anchor


def test_every_link_leads_to_a_page_and_to_a_heading_of_it(pages: dict[str, str]) -> None:
    assets = set(script("generate").ASSETS.values())
    found = list(links(pages))

    lost = [(page, to) for page, to, _ in found if to not in pages and to not in assets]
    assert lost == []
    beside = [
        (page, to, anchor)
        for page, to, anchor in found
        if anchor and anchor not in headings(pages[to])
    ]
    assert beside == []
    assert len(found) > 100
    assert sum(bool(anchor) for *_, anchor in found) > 50


def test_a_link_to_a_heading_that_is_not_there_would_be_seen() -> None:
    pages = {
        "a/one.md": "# One\n\n## `serve`: a start\n\n[on](../two.md#there) [up](#serve-a-start)\n",
        "two.md": "# Two\n\n```sh\n# there\n[no](link.md)\n```\n",
    }

    assert list(links(pages)) == [
        ("a/one.md", "two.md", "there"),
        ("a/one.md", "a/one.md", "serve-a-start"),
    ]
    assert headings(pages["two.md"]) == {"two"}
    assert "serve-a-start" in headings(pages["a/one.md"])


def test_every_page_is_in_the_navigation_and_nothing_else_is(pages: dict[str, str]) -> None:
    site = tomllib.loads(script("generate").settings_of_the_site())["project"]

    def named(entries: list[dict[str, Any]]) -> Iterator[str]:
        for entry in entries:
            for value in entry.values():
                if isinstance(value, str):
                    yield value
                else:
                    yield from named(value)

    assert sorted(named(site["nav"])) == sorted(pages)


def test_the_page_of_the_command_line_has_every_command_argument_and_option(
    pages: dict[str, str],
) -> None:
    text = pages["reference/cli.md"]
    parts = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    found = list(script("made_pages").commands(typer.main.get_command(app), "engram"))

    for name, command in found[1:]:
        page = told[f"`{name}`"]
        for each in command.params:
            if getattr(each, "hidden", False):
                continue
            names = [*each.opts, *each.secondary_opts] if each.opts[0][0] == "-" else []
            assert [one for one in names if one not in page] == [], name
        for child in getattr(command, "commands", {}):
            assert f"[`{name} {child}`]" in page
    assert len(found) > 60


def test_the_page_of_settings_has_every_setting_variable_and_meaning(
    pages: dict[str, str],
) -> None:
    text = pages["reference/settings.md"]
    settings = {**EngineConfig().settings(), **ServerConfig().settings()}

    for name, each in settings.items():
        (row,) = re.findall(rf"^\| `{re.escape(name)}` \|.*$", text, re.MULTILINE)
        assert f"`ENGRAM_{name.replace('.', '_').upper()}`" in row
        assert each.help in row
    assert len(settings) > 150


def test_every_public_noun_is_in_the_python_reference() -> None:
    made = script("made_pages")
    told = {
        id(getattr(import_module(module), name))
        for _, _, modules in made.ROOMS.values()
        for module in modules
        for name in made.public_names(module)
    }

    missing = [name for name in engram_lab.__all__ if id(getattr(engram_lab, name)) not in told]
    assert missing == []


def test_the_python_reference_has_each_public_name_once_and_no_private_one(
    pages: dict[str, str],
) -> None:
    text = "".join(text for name, text in pages.items() if name.startswith("reference/api/"))
    found = re.findall(r"^::: (\S+)$", text, re.MULTILINE)

    assert len(found) == len(set(found)) > 200
    assert [each for each in found if "._" in each] == []


def test_the_python_reference_tells_of_functions_and_not_of_modules_that_are_called_so(
    pages: dict[str, str],
) -> None:
    text = "".join(text for name, text in pages.items() if name.startswith("reference/api/"))
    found = re.findall(r"^::: (\S+)$", text, re.MULTILINE)

    # As what reads the docstrings does it: what is a module on the disk is one.
    on_disk = [ROOT.joinpath(*each.split(".")) for each in found]
    assert [path for path in on_disk if path.with_suffix(".py").is_file() or path.is_dir()] == []
    assert "engram_lab.plots.arm_overlap.arm_overlap" in found
    assert "engram_lab.plots.save" in found


def test_every_error_is_in_the_python_reference(pages: dict[str, str]) -> None:
    def below(kind: type[EngramError]) -> Iterator[type[EngramError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    text = pages["reference/api/errors.md"]
    errors = [each for each in below(EngramError) if each.__module__ == EngramError.__module__]

    assert [each for each in errors if f".{each.__name__}\n" not in text] == []
    assert len(errors) > 20


def test_every_mark_is_filled_in_and_every_formula_is_set(pages: dict[str, str]) -> None:
    marks = re.compile(r"^<!-- (?:section|docstring): |^```math", re.MULTILINE)

    assert [name for name, text in pages.items() if marks.search(text)] == []
    assert pages["explanation/recall.md"].count("<math ") >= 8


def test_an_interval_stays_in_one_line_and_a_picture_is_found(pages: dict[str, str]) -> None:
    text = pages["benchmarks.md"]

    assert re.search(r"\[\d+\.\d,\u00a0\d+\.\d\]", text)
    assert not re.search(r"\[[+-]?\d+\.\d, [+-]?\d+\.\d\]", text)
    assert "](assets/power.svg)" in text


def test_commands_are_coloured_where_no_prompt_tells_them_from_output(
    pages: dict[str, str],
) -> None:
    assert "```sh\nengram " in pages["tutorial/first-hour.md"]
    prompted = re.compile(r"^ *```console\n(?! *\$ )", re.MULTILINE)
    assert [name for name, text in pages.items() if prompted.search(text)] == []
    assert "```console\n$ engram" in pages["reference/cli.md"]


def test_a_section_that_is_not_there_is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match=r"README\.md has 0 headings 'Nowhere': one is needed"):
        script("generate").section("README.md", "Nowhere")


def test_a_section_ends_at_the_next_heading_and_not_at_a_comment_in_code() -> None:
    text = script("generate").section("README.md", "Try it")

    assert "make demo    # evaluate" in text
    assert "From the command line" not in text
    assert "\0" not in script("generate").section("README.md", "Serve")


def test_every_source_that_a_docstring_names_is_on_the_page_of_sources(
    pages: dict[str, str],
) -> None:
    text = pages["explanation/sources.md"]
    named = sum(
        len(re.findall(r"^\s*Source: ", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (ROOT / "engram_lab").rglob("*.py")
    )

    assert len(re.findall(r"^- `engram_lab\.", text, re.MULTILINE)) == named > 80
    assert "Robertson and Zaragoza" in text


@pytest.mark.slow
@pytest.mark.parametrize("page", SHOWING)
def test_what_a_page_shows_runs(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    lines, python = shown(page)

    for line in lines:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as stopped:
            main()
        assert (stopped.value.code or 0, capsys.readouterr().err) == (0, ""), line
    for number, block in enumerate(python, 1):
        exec(compile(block, f"{page}, Python block {number}", "exec"), {})  # noqa: S102


def test_pages_of_each_kind_show_what_is_run() -> None:
    kinds = {page.partition("/")[0] for page in SHOWING}

    assert {"index.md", "tutorial", "how-to", "explanation", "reference"} == kinds
    assert any(line.startswith("engram eval tune") for page in SHOWING for line in shown(page)[0])


@pytest.mark.slow
def test_the_site_builds_strictly_and_asks_no_network_for_anything(tmp_path: Path) -> None:
    script_of_the_site = [sys.executable, str(ROOT / "docs" / "generate.py"), str(tmp_path)]
    subprocess.run(script_of_the_site, check=True, cwd=ROOT)
    built = build(tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr

    site = {path: path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html")}
    fetched = re.compile(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"?(?:https?:)?//[^\s>]+")
    assert [
        (path.name, fetched.findall(text)) for path, text in site.items() if fetched.search(text)
    ] == []
    assert lost_in(site) == []
    engine = (tmp_path / "site/reference/api/engine.html").read_text(encoding="utf-8")
    verbs = [each for each in dir(engram_lab.Engine) if not each.startswith("_")]
    assert [each for each in verbs if f'id="engram_lab.engine.Engine.{each}"' not in engine] == []
    assert "recall" in verbs


@pytest.mark.slow
def test_a_link_that_leads_nowhere_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[gone](gone.md)\n", encoding="utf-8")
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "x"\n', encoding="utf-8")

    built = build(tmp_path)

    assert built.returncode != 0
    assert "gone.md" in re.sub(r"\x1b\[[\d;]*m", "", built.stdout + built.stderr)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a site strictly."""
    words = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(words, check=False, cwd=folder, capture_output=True, text=True)


def lost_in(site: dict[Path, str]) -> list[tuple[str, str]]:
    """Return the links of built pages that lead to no file, or to no anchor in it."""
    anchors = {path: set(re.findall(r"\bid=\"?([^\s\">]+)", text)) for path, text in site.items()}
    lost = []
    for path, text in site.items():
        if path.name == "404.html":  # its links begin at the root of a server
            continue
        for target in re.findall(r"<a\b[^>]*?\shref=\"?([^\s\">]+)", text):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            to = (path.parent / name).resolve() if name else path
            if not to.exists() or (anchor and to in anchors and anchor not in anchors[to]):
                lost.append((path.name, target))
    return lost
