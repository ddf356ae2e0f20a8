"""Where an export goes: it appears whole or not at all, and harms nothing that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.interchange import FORMATS, Format, export_store, import_file
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.progress import Told
    from engram_lab.core.sqlite import SqliteStore

NAMES: dict[Format, str] = {"parquet": "export", "jsonl": "export.jsonl", "json": "export.json"}


class _StoppedError(Exception):
    """What interrupts an export."""


def stop(*_done: object) -> None:
    raise _StoppedError


def contents(path: Path) -> dict[str, bytes]:
    """Return the files of a folder by name; of a file, that file without a name."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {file.name: file.read_bytes() for file in path.iterdir()}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.jsonl", "jsonl"),
        ("a.NDJSON", "jsonl"),
        ("a.json", "json"),
        ("a.parquet", "parquet"),
        ("a", "parquet"),
        ("a.b.c", "parquet"),
    ],
)
def test_the_ending_says_the_format(
    full: SqliteStore, tmp_path: Path, name: str, wanted: Format
) -> None:
    export_store(full, tmp_path / name)
    export_store(full, tmp_path / "other", format=wanted)
    assert contents(tmp_path / "other") == contents(tmp_path / name)


def test_a_parquet_export_is_a_folder_of_tables_with_a_manifest(
    full: SqliteStore, tmp_path: Path
) -> None:
    counts = export_store(full, tmp_path / "export")
    manifest = orjson.loads((tmp_path / "export" / "manifest.json").read_bytes())
    assert (manifest["format"], manifest["version"]) == ("engram-lab", 1)
    assert counts == {name: table["rows"] for name, table in manifest["tables"].items()}
    assert {file.name for file in (tmp_path / "export").iterdir()} == {
        "manifest.json",
        *(f"{name}.parquet" for name in SCHEMAS),
    }


def test_json_holds_metadata_as_objects_and_times_in_utc(full: SqliteStore, tmp_path: Path) -> None:
    export_store(full, tmp_path / "export.json")
    (tea, *_) = orjson.loads((tmp_path / "export.json").read_bytes())["memories"]
    assert tea["metadata"] == {"cups": 2, "hot": True, "when": ["morning", None]}
    assert tea["event_at"] == "2026-01-01T12:00:00Z"


@pytest.mark.parametrize("format", FORMATS)
def test_what_exists_is_refused(
    full: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    path = tmp_path / NAMES[format]
    export_store(full, path)
    before = contents(path)
    full.memories.remember({"content": "new"})

    with pytest.raises(InvalidInputError, match="exists: give another path, or allow to overwrite"):
        export_store(full, path)

    assert before == contents(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format", FORMATS)
def test_what_exists_is_replaced_where_that_is_allowed(
    full: SqliteStore,
    store: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    path = tmp_path / NAMES[format]
    export_store(full, path)
    full.memories.remember({"content": "new"})
    counts = export_store(full, path, overwrite=True)
    assert counts == import_file(store, path).imported
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("format", FORMATS)
def test_an_export_that_fails_leaves_everything_as_it_was(
    full: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
    *,
    existing: bool,
) -> None:
    path = tmp_path / NAMES[format]
    if existing:
        export_store(full, path)
    before = contents(path) if existing else None

    with pytest.raises(_StoppedError):
        export_store(full, path, overwrite=True, progress=stop)

    assert before == (contents(path) if existing else None)
    assert list(tmp_path.iterdir()) == ([path] if existing else [])


@pytest.mark.parametrize("format", FORMATS)
def test_the_former_export_is_there_until_the_new_one_is_whole(
    full: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    path = tmp_path / NAMES[format]
    export_store(full, path)
    before = contents(path)

    def look(*_done: object) -> None:
        assert before == contents(path)

    export_store(full, path, overwrite=True, progress=look)


@pytest.mark.parametrize("existing", [True, False])
def test_an_export_that_cannot_be_put_in_its_place_leaves_the_former_one(
    full: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, existing: bool
) -> None:
    path = tmp_path / "export"
    if existing:
        export_store(full, path)
    before = contents(path) if existing else None
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "export.incoming":
            raise PermissionError
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        export_store(full, path, overwrite=True)

    assert before == (contents(path) if existing else None)
    assert list(tmp_path.iterdir()) == ([path] if existing else [])


def test_a_folder_of_something_else_is_never_replaced(full: SqliteStore, tmp_path: Path) -> None:
    precious = tmp_path / "photos" / "one.jpg"
    precious.parent.mkdir()
    precious.write_bytes(b"smile")
    with pytest.raises(InvalidInputError, match="is a folder of something else: give another"):
        export_store(full, precious.parent, overwrite=True)
    assert precious.read_bytes() == b"smile"


def test_an_empty_folder_may_be_replaced(full: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    assert export_store(full, tmp_path / "export", overwrite=True)["memories"] == 4


@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_a_folder_is_not_replaced_by_a_file(
    full: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    export_store(full, tmp_path / "export")
    with pytest.raises(InvalidInputError, match=f"is a folder: give another path for {format}"):
        export_store(full, tmp_path / "export", format=format, overwrite=True)
    assert (tmp_path / "export" / "manifest.json").is_file()


def test_a_file_is_not_replaced_by_a_folder(full: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"a database")
    with pytest.raises(InvalidInputError, match="is a file: give another path for parquet"):
        export_store(full, file, overwrite=True)
    assert file.read_bytes() == b"a database"


def test_a_place_in_no_folder_is_refused(full: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"the folder .*missing does not exist: create it"):
        export_store(full, tmp_path / "missing" / "export")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused(full: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match="format is 'csv': allowed are parquet, jsonl, json"
    ):
        export_store(full, tmp_path / "export", format="csv")  # type: ignore[arg-type]


def test_home_is_found(full: SqliteStore) -> None:
    export_store(full, "~/export.jsonl")
    with pytest.raises(InvalidInputError, match="exists"):
        export_store(full, "~/export.jsonl")
    assert set(import_file(full, "~/export.jsonl").imported.values()) == {0}


def test_an_agent_exports_nothing(full: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(AccessDeniedError):
        export_store(full.as_agent("butler", "global"), tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_all_tables_are_of_one_moment_though_a_writer_goes_on(
    open_store: Callable[..., SqliteStore],
    store: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    busy = open_store(tmp_path / "busy.db")
    kept = busy.memories.remember({"content": "kept"})

    def write(told: Told) -> None:
        if not told.done:  # nothing was read yet
            return
        late = busy.memories.remember({"content": "late"})
        busy.links.put(kept.id, late.id)
        busy.memories.update(kept.id, {"content": "changed"})

    counts = export_store(busy, tmp_path / NAMES[format], progress=write)

    assert (counts["memories"], counts["versions"], counts["links"]) == (1, 1, 0)
    assert import_file(store, tmp_path / NAMES[format]).refused == ()
    assert kept == store.memories.get(kept.id)
