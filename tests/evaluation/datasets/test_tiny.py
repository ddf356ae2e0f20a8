from __future__ import annotations

import hashlib
import json
import re
import runpy
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.fiction.card import KINDS, card_of
from engram_lab.evaluation.datasets.fictional import CATEGORIES, TINY_SEED, generate
from engram_lab.evaluation.datasets.tiny import files_of, read_tiny
from engram_lab.evaluation.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.datasets.dataset import Dataset

BUNDLED = shipped("datasets") / "tiny"
SCRIPT = Path(__file__).resolve().parents[3] / "evals" / "tiny.py"


@cache
def bundled() -> Dataset:
    return read_tiny(BUNDLED, id="tiny", options={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in files_of(generate(1, conversations=1)).items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    return tmp_path


class TestBundled:
    def test_the_seed_gives_the_bytes_that_are_bundled(self) -> None:
        written = generate(TINY_SEED)
        for name, text in {**files_of(written), "README.md": card_of(written)}.items():
            assert (BUNDLED / name).read_bytes() == text.encode(), f"{name}: run evals/tiny.py"

    def test_it_is_read_as_it_was_made(self) -> None:
        assert bundled().hash == generate(TINY_SEED).hash

    def test_the_files_that_were_read_are_named_with_their_sums(self) -> None:
        for file in bundled().files:
            given = (BUNDLED / file.name).read_bytes()
            assert (file.size, file.sha256) == (len(given), hashlib.sha256(given).hexdigest())
        names = [file.name for file in bundled().files]
        assert names == ["memories.jsonl", "queries.jsonl", "qrels.tsv"]

    def test_it_is_as_small_and_as_large_as_meant(self) -> None:
        data = bundled()
        assert data.memories.height <= 1000
        assert 300 <= data.queries.height <= 360
        assert data.queries["cluster"].n_unique() == 12
        assert tuple(data.queries["category"].unique(maintain_order=True)) == CATEGORIES
        assert sorted(KINDS) == sorted(CATEGORIES)

    def test_the_card_counts_what_is_there(self) -> None:
        card = (BUNDLED / "README.md").read_text(encoding="utf-8")
        data = bundled()
        for category, count in data.queries.group_by("category").len().rows():
            assert f"| `{category}` | {count} |" in card
        for level, count in data.qrels.group_by("relevance").len().rows():
            assert f"| {level} | {count} |" in card
        turns = data.memories.filter(pl.col("session").is_not_null())
        assert f"| turns | {turns.height} |" in card
        assert f"| questions | {data.queries.height} |" in card
        assert f"| corpora (a store each) | {data.memories['corpus'].n_unique()} |" in card
        assert not re.search(r"[{}]", card)

    def test_the_script_compares_and_writes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main = runpy.run_path(str(SCRIPT))["main"]

        def run(*options: str) -> int:
            monkeypatch.setattr(sys, "argv", ["tiny.py", "--out", str(tmp_path), *options])
            return int(main())

        assert run("--check") == 1
        assert "differ from what the seed gives: memories.jsonl" in capsys.readouterr().err
        assert run() == 0
        assert run("--check") == 0
        for name in ("memories.jsonl", "queries.jsonl", "qrels.tsv", "README.md"):
            assert (tmp_path / name).read_bytes() == (BUNDLED / name).read_bytes()


class TestReader:
    def test_what_was_written_is_read_again(self, folder: Path) -> None:
        data = read_tiny(folder, id="mine", options={})
        assert data.id == "mine"
        assert data.hash == generate(1, conversations=1).hash

    def test_options_are_refused(self, folder: Path) -> None:
        with pytest.raises(InvalidInputError, match="has no option 'unit': leave it out"):
            read_tiny(folder, id="mine", options={"unit": "turn"})

    def test_a_missing_file_is_named(self, folder: Path) -> None:
        (folder / "qrels.tsv").unlink()
        with pytest.raises(FileNotFoundError, match=r"qrels\.tsv"):
            read_tiny(folder, id="mine", options={})

    @pytest.mark.parametrize(
        ("name", "line", "change", "said"),
        [
            ("memories.jsonl", 3, lambda _: "{", r"memories\.jsonl, line 3: it is no JSON"),
            ("queries.jsonl", 1, lambda _: "[]", r"queries\.jsonl, line 1: it must be a JSON obj"),
            ("memories.jsonl", 2, lambda row: row | {"mood": 1}, "line 2: 'mood' is no key"),
            ("queries.jsonl", 2, lambda row: row | {"text": None}, "line 2: 'text' is missing"),
            (
                "memories.jsonl",
                1,
                lambda row: row | {"content": 7},
                "'content' is 7: it must be a t",
            ),
            (
                "memories.jsonl",
                1,
                lambda row: row | {"position": -1},
                "'position' is -1: it must b",
            ),
            ("memories.jsonl", 1, lambda row: row | {"position": True}, "'position' is true"),
            (
                "memories.jsonl",
                1,
                lambda row: row | {"fields": "x"},
                "'fields' is \"x\": .* an obj",
            ),
            ("memories.jsonl", 1, lambda row: row | {"event_at": "noon"}, "'event_at' is \"noon\""),
            ("queries.jsonl", 1, lambda row: row | {"asked_at": "2031-01-01"}, "'asked_at' is"),
            ("qrels.tsv", 1, lambda _: "query memory", r"qrels\.tsv, line 1: .* with tabs"),
            ("qrels.tsv", 4, lambda _: "a\tb", r"qrels\.tsv, line 4: .* a whole number"),
            ("qrels.tsv", 4, lambda _: "a\tb\tone", r"qrels\.tsv, line 4: it is 'a\\tb\\tone'"),
            ("qrels.tsv", 4, lambda _: "a\tb\t1", "name the unknown"),
        ],
    )
    def test_a_line_of_another_shape_is_named(
        self, folder: Path, name: str, line: int, change: Callable[[object], object], said: str
    ) -> None:
        path = folder / name
        lines = path.read_text(encoding="utf-8").splitlines()
        before = lines[line - 1]
        after = change(json.loads(before) if name.endswith(".jsonl") else before)
        lines[line - 1] = after if isinstance(after, str) else json.dumps(after)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with pytest.raises(InvalidInputError, match=said):
            read_tiny(folder, id="mine", options={})

    def test_bytes_that_are_no_text_are_named(self, folder: Path) -> None:
        (folder / "queries.jsonl").write_bytes(b'{"id": "\xff"}\n')
        with pytest.raises(InvalidInputError, match=r"queries\.jsonl, byte 8: it is not UTF-8"):
            read_tiny(folder, id="mine", options={})

    def test_an_empty_table_of_judgements_has_no_head(self, folder: Path) -> None:
        (folder / "qrels.tsv").write_bytes(b"")
        with pytest.raises(InvalidInputError, match=r"qrels\.tsv, line 1: it is ''"):
            read_tiny(folder, id="mine", options={})
