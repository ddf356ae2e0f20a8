from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

HARBOUR = str(Path(__file__).parents[2] / "datasets" / "harbour" / "memories.jsonl")


def written(name: str, *rows: Any) -> str:
    text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    Path(name).write_text(text, encoding="utf-8")
    return name


def contents(path: Path) -> dict[str, bytes]:
    files = path.iterdir() if path.is_dir() else [path]
    return {file.suffix or file.name: file.read_bytes() for file in files if file.is_file()}


# import


def test_import_says_what_it_took_in(engram: Engram) -> None:
    assert engram("import", HARBOUR) == "imported 170 memories\n"


def test_import_as_json(engram: Engram) -> None:
    report = engram.json("import", HARBOUR)
    assert report == {"imported": {"memories": 170}, "unchanged": 0, "refused": []}


def test_import_keeps_to_its_workspace_and_dedup(engram: Engram) -> None:
    rows = written("rows.jsonl", {"content": "a"}, {"content": "b", "workspace": "own"})
    engram("import", rows, "--workspace", "harbour")
    assert engram("import", rows, "--workspace", "harbour", "--dedup", "skip") == (
        "imported nothing; 2 were there already\n"
    )
    found = engram.json("list")["memories"]
    assert [each["workspace"] for each in found] == ["harbour", "own"]


def test_import_of_nothing_is_no_mistake(engram: Engram) -> None:
    assert engram("import", written("empty.jsonl")) == "imported nothing\n"


MIXED = ('{"content": "good"}', "no json", '{"content": ""}', "[1]", '{"content": "fine"}')


def test_import_takes_all_or_nothing(engram: Engram) -> None:
    why = engram.refused("import", written("mixed.jsonl", *MIXED))
    assert why.startswith("3 of 5 rows were refused, so nothing was imported; the first is row 1 ")
    assert why.endswith("(rows count from 0; --keep-going takes the others and tells of every one)")
    assert engram("list") == "nothing found\n"


def test_import_keeps_going_if_told_and_still_fails(engram: Engram) -> None:
    ran = engram.run("import", written("mixed.jsonl", *MIXED), "--keep-going")
    assert (ran.code, ran.err) == (1, "")
    first, *refused = ran.out.splitlines()
    assert first == "imported 2 memories"
    starts = [line.partition(" (from 0) of memories: ")[0] for line in refused]
    assert starts == ["refused: row 1", "refused: row 2", "refused: row 3"]


def test_import_shows_ten_refused_rows_and_counts_the_rest(engram: Engram) -> None:
    rows = written("bad.jsonl", *["no json"] * 12)
    lines = engram.run("import", rows, "--keep-going").out.splitlines()
    assert len(lines) == 12
    assert lines[-1] == "and 2 more: --json lists every one"
    ran = engram.run("import", rows, "--keep-going", "--json")
    assert ran.code == 1
    assert [each["row"] for each in ran.json["refused"]] == list(range(12))
    assert ran.json["refused"][0].keys() == {"row", "reason", "table"}


def test_import_makes_the_folder_of_the_default_database(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENGRAM_STORE_PATH")
    engram("import", HARBOUR)
    assert (Path.home() / ".engram" / "engram.db").is_file()
    assert len(engram.json("list", "--limit", "1000")["memories"]) == 170


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("folder", None, "holds no manifest.json"),
        ("empty.json", b"", "is no JSON"),
        ("empty.parquet", b"", "cannot be read"),
        ("noise.parquet", bytes(range(256)) * 9, "cannot be read"),
        ("noise.arrow", bytes(range(256)) * 9, "cannot be read"),
        ("noise.json", bytes(range(256)), "is no JSON"),
        ("noise.jsonl", bytes(range(11, 256)), "1 of 1 rows were refused"),
        ("notes.txt", b"text", "is of no known kind"),
        ("object.json", b'{"memories": {}}', "holds no list of memories"),
        ("other.json", b'{"format": "other"}', "is no export of this program"),
        ("newer.json", b'{"format": "engram-lab", "version": 9}', "upgrade"),
        ("deep.jsonl", b'{"content":' + b"[" * 100_000, "depth limit"),
        ("long.jsonl", b'{"content": "%b"}' % (b"x" * 5_000_000), "at most 10000 are allowed"),
    ],
)
def test_import_of_what_is_none(engram: Engram, name: str, content: bytes | None, why: str) -> None:
    if content is None:
        Path(name).mkdir()
    else:
        Path(name).write_bytes(content)
    assert why in engram.refused("import", name)


@pytest.mark.parametrize(
    "manifest", ["[1]", "{}", '{"format": "engram-lab", "version": 1, "tables": {}}', "nothing"]
)
def test_import_of_an_export_with_a_broken_manifest(engram: Engram, manifest: str) -> None:
    engram.remember("text")
    engram("export", "out")
    Path("out/manifest.json").write_text(manifest, encoding="utf-8")
    assert "out" in engram.refused("import", "out", "--db", "copy.db")


def test_import_of_an_export_with_a_changed_file(engram: Engram) -> None:
    engram.remember("text")
    engram("export", "out")
    with Path("out/memories.parquet").open("ab") as file:
        file.write(b"x")
    assert "is not the file that was exported" in engram.refused("import", "out", "--db", "copy.db")


# export


@pytest.mark.parametrize("name", ["out", "out.jsonl", "out.json"])
def test_an_export_comes_back_exactly(engram: Engram, name: str) -> None:
    engram("import", HARBOUR)
    memory = engram.remember("text", "--tag", "ünï")
    engram("update", memory, "--content", "newer")
    engram("forget", memory)
    engram("recall", "launch")

    said = engram("export", name)
    counts = "2 workspaces, 171 memories, 173 versions, 171 vectors, 1 event"
    assert said == f"wrote {counts} to {name}\n"
    said = engram("import", name, "--db", "copy.db")
    assert said == f"imported {counts}\n"
    engram("export", f"second{Path(name).suffix}", "--db", "copy.db")

    assert contents(Path(name)) == contents(Path(f"second{Path(name).suffix}"))
    assert "were there already" in engram("import", name, "--db", "copy.db")


def test_export_as_json(engram: Engram) -> None:
    engram.remember("text")
    report = engram.json("export", "out")
    assert report["path"] == "out"
    assert (report["rows"]["memories"], report["rows"]["links"]) == (1, 0)


def test_export_of_little_counts_one_as_one(engram: Engram) -> None:
    engram.remember("text")
    assert engram("export", "out") == "wrote 1 workspace, 1 memory, 1 version, 1 vector to out\n"


def test_export_overwrites_only_if_told(engram: Engram) -> None:
    engram.remember("text")
    engram("export", "out")
    assert "out exists" in engram.refused("export", "out")
    engram("export", "out", "--overwrite")
    engram("export", "out", "--overwrite", "--set", "interchange.compression=none")


def test_where_there_is_no_terminal_no_bar_is_shown(engram: Engram) -> None:
    ran = engram.run("import", HARBOUR, "--json")
    assert ran.json["imported"] == {"memories": 170}
    assert ran.err == ""
    engram.run("export", "out")
