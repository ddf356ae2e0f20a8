"""The documents tell the truth: what exists is in them, and what they show runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
import yaml

from engram_lab.cli import app, main
from engram_lab.config import EngineConfig, ServerConfig
from engram_lab.consolidation import STEPS
from engram_lab.consolidation.abstract import SUMMARISERS
from engram_lab.consolidation.decay import LAWS
from engram_lab.consolidation.presets import PRESETS
from engram_lab.core.filters import OPERATORS
from engram_lab.core.registry import STORES
from engram_lab.core.schemas import SCHEMAS
from engram_lab.evaluation.consolidation.suite import TASKS, TITLES, kind_of
from engram_lab.evaluation.datasets.catalogue import manifests
from engram_lab.evaluation.datasets.readers import READERS
from engram_lab.evaluation.declared import declared_names
from engram_lab.evaluation.gating.gate import EXIT
from engram_lab.evaluation.measures.parsing import MEASURES
from engram_lab.evaluation.suites import suite_names
from engram_lab.evaluation.systems import SYSTEMS, system_names
from engram_lab.retrieval.dense import VECTOR_INDEXES
from engram_lab.retrieval.embedders import EMBEDDERS
from engram_lab.retrieval.fusion import FUSIONS, NORMALISERS
from engram_lab.retrieval.rerank import RERANKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.registry import Registry

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "evals/README.md",
    "evals/bench/README.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
]


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


README = text_of("README.md")
CONTRIBUTING = text_of("CONTRIBUTING.md")
NAMES = text_of("docs/reference/names.md")
SETTINGS = text_of("docs/reference/settings.md")
DREAMS = text_of("docs/explanation/dreams.md")
JUDGE = text_of("docs/explanation/judge.md")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(group: Any, name: str) -> Iterator[str]:
    for each in group.commands.values():
        if hasattr(each, "commands"):
            yield from commands(each, f"{name} {each.name}")
        else:
            yield f"{name} {each.name}"


def test_every_command_is_in_the_readme() -> None:
    found = list(commands(typer.main.get_command(app), "engram"))

    assert [each for each in found if f"`{each}`" not in README] == []
    assert "engram remember" in found


def test_every_setting_has_a_row_on_the_page_of_settings() -> None:
    named = [*EngineConfig().flat(), *ServerConfig().flat()]

    assert [each for each in named if f"| `{each}` |" not in SETTINGS] == []
    assert {"store.path", "serve.port"} <= set(named)


def test_every_table_and_operator_is_in_the_readme() -> None:
    assert [each for each in SCHEMAS if f"`{each}`" not in README] == []
    assert " ".join(OPERATORS) in README


@pytest.mark.parametrize(
    ("setting", "registry"),
    [
        ("store.kind", STORES),
        ("embedding.model", EMBEDDERS),
        ("index.kind", VECTOR_INDEXES),
        ("retrieval.fusion", FUSIONS),
        ("retrieval.normaliser", NORMALISERS),
        ("retrieval.rerank", RERANKERS),
    ],
)
def test_every_registered_part_is_in_the_row_of_its_setting(
    setting: str, registry: Registry[Any]
) -> None:
    (row,) = re.findall(rf"^\| {registry.kind} \| `{setting}`.*$", NAMES, re.MULTILINE)

    assert [each for each in registry.names() if f"`{each}`" not in row] == []


def test_every_part_of_a_dream_is_on_the_page_of_dreams() -> None:
    named = [*STEPS.names(), *LAWS.names(), *SUMMARISERS.names(), *PRESETS]

    assert [each for each in named if f"`{each}`" not in DREAMS] == []
    assert {"hebbian", "power", "extractive", "act-r"} <= set(named)


def test_every_task_and_null_of_the_benchmark_is_on_the_page_of_the_judge() -> None:
    (rows,) = re.findall(r"^\| task \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", JUDGE, re.MULTILINE)
    nulls = [each for each in TITLES if kind_of(each) == "null"]

    assert [each for each in TASKS if f"| `{each}` |" not in rows] == []
    assert [each for each in nulls if f"`{each}`" not in rows] == []
    assert len(rows.splitlines()) == len(TASKS)


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("suite", suite_names()),
        ("system", system_names()),
        ("space", declared_names("spaces")),
        ("reader", READERS.names()),
    ],
)
def test_all_that_the_judge_knows_by_name_has_a_row_on_the_page_of_names(
    head: str, names: tuple[str, ...]
) -> None:
    (rows,) = re.findall(rf"^\| {head} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", NAMES, re.MULTILINE)

    assert [each for each in names if f"| `{each}` |" not in rows] == []
    assert len(rows.splitlines()) == len(names) >= 2


def test_every_measure_of_ours_has_a_row_on_the_page_of_measures() -> None:
    forms = [form for name in MEASURES.names() for form in MEASURES.get(name).forms(name)]
    text = text_of("docs/reference/measures.md")
    (rows,) = re.findall(r"<!-- measures -->\n(.*?)<!-- /measures -->", text, re.DOTALL)

    assert [each for each in forms if f"`{each}`" not in rows] == []
    assert "`recall_any@k`" in rows


def test_every_data_set_and_every_kind_of_system_is_in_a_document() -> None:
    for text in (text_of("evals/README.md"), NAMES):
        assert [each.id for each in manifests() if f"| `{each.id}` |" not in text] == []
    assert [each for each in SYSTEMS.names() if f"`{each}`" not in NAMES] == []


@pytest.mark.parametrize(
    "document", ["README.md", "docs/explanation/judge.md", "docs/how-to/use-it-in-ci.md"]
)
def test_the_exit_codes_are_those_that_a_document_says(document: str) -> None:
    said = re.search(r"Exit codes: (.*?), as", text_of(document))

    assert said is not None
    assert said[1] == (
        f"{EXIT['pass']} pass, {EXIT['regression']} regression, 2 misuse, "
        f"{EXIT['incomparable']} nothing comparable"
    )


def test_every_command_that_a_document_names_exists() -> None:
    known = set(commands(typer.main.get_command(app), "engram"))
    groups = {each.rpartition(" ")[0] for each in known} - {"engram"}
    named = {
        " ".join(words[:3] if " ".join(words[:2]) in groups else words[:2])
        for document in DOCUMENTS
        for words in (
            line.split()
            for line in re.findall(r"(?:`|^)(engram [a-z][^`\n]*)", text_of(document), re.MULTILINE)
        )
    }

    assert sorted(named - known - groups) == []
    assert {"engram remember", "engram eval gate", "engram promote"} <= named


def test_every_extra_is_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (told,) = re.findall(r"^Extras: (.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    extras = list(project["optional-dependencies"])

    assert [each for each in extras if f"`{each}`" not in told] == []
    assert "onnx" in extras


def test_the_generated_tables_are_up_to_date() -> None:
    script = [sys.executable, str(ROOT / "evals" / "tables.py"), "--check"]

    assert subprocess.run(script, check=False, cwd=ROOT).returncode == 0, "run evals/tables.py"


def test_a_record_that_is_missing_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "evals")!r})
import committed
committed.BASELINES = Path({str(tmp_path)!r})
from tables_dreams import dreams_part
dreams_part()
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert ran.returncode == 1
    assert ran.stderr == (
        "evals/baselines/consolidation.json is not there: make it by `make dreams`\n"
    )


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks("python")

    for number, block in enumerate(found, 1):
        exec(compile(block, f"README.md, Python block {number}", "exec"), {})  # noqa: S102

    assert (tmp_path / "notes.db").exists()
    assert len(found) >= 3


@pytest.mark.parametrize("number", range(len(blocks("python", CONTRIBUTING))))
def test_the_parts_that_contributing_shows_keep_their_contracts(
    number: int, tmp_path: Path
) -> None:
    block = blocks("python", CONTRIBUTING)[number]

    ran = subprocess.run(  # in a process of its own, as it registers a name
        [sys.executable, "-c", block], check=False, capture_output=True, cwd=tmp_path, text=True
    )

    assert ran.stderr == ""
    assert ran.returncode == 0


def test_contributing_shows_a_part_of_each_kind() -> None:
    shown = "".join(blocks("python", CONTRIBUTING))
    checks = "check_embedder", "check_vector_index", "check_fusion", "check_reranker", "check_step"
    doors = "@define(", "@READERS.register(", "SYSTEMS.add(", "STEPS.add(", "SUMMARISERS.add("

    assert [each for each in (*checks, *doors) if f"\n{each.rstrip('(')}(" not in shown] == []


def shown_commands(block: str) -> list[list[str]]:
    return [shlex.split(line) for line in block.splitlines() if line.startswith("engram ")]


@pytest.mark.parametrize(
    "shown", [lines for block in blocks("console") if (lines := shown_commands(block))]
)
def test_the_commands_of_the_readme_run(
    shown: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    monkeypatch.chdir(tmp_path)

    for words in shown:
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stopped:
            main()
        assert (stopped.value.code or 0, capsys.readouterr().err) == (0, "")


def test_the_readme_shows_commands_of_the_engine_and_of_the_judge() -> None:
    shown = [" ".join(words[:3]) for block in blocks("console") for words in shown_commands(block)]

    assert len(shown) >= 10
    assert {"engram eval run", "engram eval gate", "engram eval tune"} <= set(shown)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "".join(map(text_of, DOCUMENTS))
    named = set(re.findall(r"`?make ([a-z]+)`?(?=[\s`;,.)])", text))

    assert {"demo", "tour", "test", "bench", "simulations"} <= named & targets
    assert sorted(named - targets - {"sure"}) == []


def test_contributing_lists_every_make_target() -> None:
    told = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [each for each in told if f"| `make {each}` |" not in CONTRIBUTING] == ["help"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    named = re.findall(r"`((?:tests|evals|datasets|engram_lab)/[\w./-]+)`", text_of(document))

    assert [each for each in named if not (ROOT / each).exists() and "NNNN" not in each] == []


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    found = [each for each in re.findall(r"\]\(([^)\s#]+)", README) if "://" not in each]

    assert [each for each in found if not (ROOT / each).is_file()] == []
    assert "docs/benchmarks.md" in found


def test_the_citation_is_of_the_version_that_is_here() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["version"] == project["version"]
    assert cited["license"] == project["license"]
    assert [each["name"] for each in cited["authors"]] == [
        each["name"] for each in project["authors"]
    ]
