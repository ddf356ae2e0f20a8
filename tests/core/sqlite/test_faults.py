"""Full disks and missing rights: said clearly, and nothing stored before is lost."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import apsw
import orjson
import pytest

from engram_lab.core.errors import StoreFullError, StoreReadOnlyError
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_store(path: Path, *, read_only: bool = False) -> SqliteStore:
    return SqliteStore.open(str(path), read_only=read_only)


def fill(path: Path, number: int = 200) -> list[str]:
    with closing(open_store(path)) as store:
        report = store.memories.remember_many(
            {"content": f"memory {n} " + "word " * (n % 40), "tags": [f"t{n % 7}"]}
            for n in range(number)
        )
        for id_ in report.ids[::5]:
            store.memories.update(id_, {"metadata": {"changed": True}})
    return list(report.ids)


def faults_of(store: SqliteStore) -> list[str]:
    return [check.name for check in store.doctor.examine() if not check.ok]


def limit_pages(store: SqliteStore, extra: int) -> None:
    """Let the file grow by a few pages only; nothing but the writer's own setting can say so."""
    writer = store._context.database._writer
    pages = writer.pragma("page_count")
    writer.pragma("max_page_count", pages + extra)


def test_a_full_file_refuses_and_keeps_what_it_has(path: Path) -> None:
    ids = fill(path)
    with closing(open_store(path)) as store:
        limit_pages(store, 3)
        kept = list(ids)
        texts = (f"{number} " + "x" * 5000 for number in range(100))
        with pytest.raises(StoreFullError, match="the disk is full") as raised:
            kept.extend(store.memories.remember({"content": text}).id for text in texts)
        assert isinstance(raised.value.__cause__, apsw.FullError)
        assert store.memories.count(Selection()) == len(kept)

        with pytest.raises(StoreFullError), store.transaction():  # noqa: PT012
            store.memories.update(kept[0], {"content": "half of a transaction"})
            store.memories.remember_many({"content": f"{n} " + "x" * 9000} for n in range(50))
        assert store.memories.count(Selection()) == len(kept)
        assert store.memories.get(kept[0]).content.startswith("memory 0")
        assert faults_of(store) == []

        limit_pages(store, 1000)
        store.memories.remember({"content": "there is room again"})
    with closing(open_store(path)) as store:
        assert store.memories.count(Selection()) == len(kept) + 1


ON_A_FULL_DISK = r"""
import os, sys
from contextlib import closing
from pathlib import Path
import orjson
from engram_lab.core.errors import StoreFullError
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

folder = Path(sys.argv[1])
store = SqliteStore.open(str(folder / "engram.db"))
kept, refused = [], []

def attempt(name, deed):
    try:
        deed()
    except StoreFullError as error:
        refused.append([name, str(error).split(":")[0]])

spare = folder / "spare"
spare.write_bytes(bytes(400_000))
while not refused:
    draft = {"content": f"memory {len(kept)} " + "word " * 400}
    attempt("remember", lambda: kept.append(store.memories.remember(draft).id))
attempt("backup", lambda: store.backups.backup(str(folder / "backup.db")))
attempt("vacuum", lambda: store.backups.vacuum_into(str(folder / "vacuum.db")))
attempt("new", lambda: SqliteStore.open(str(folder / "new.db")))
there = store.memories.count(Selection())
sound = all(check.ok for check in store.doctor.examine())
left = sorted(each.name for each in folder.glob("*.db"))
spare.unlink()
store.memories.purge(kept[:1])
store.close()
with closing(SqliteStore.open(str(folder / "engram.db"))) as again:
    found = [id_ for id_ in kept if again.memories.get_many([id_]) != [None]]
print(orjson.dumps([refused, left, there == len(kept), sound, found == kept[1:]]).decode())
"""


def test_a_full_disk_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    mounted = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = 'mount -t tmpfs -o size=2m tmpfs "$1"'
    try:
        tried = subprocess.run([*mounted, mount, "sh", tmp_path], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no `unshare`")
    if tried.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {tried.stderr.decode().strip()}")

    done = subprocess.run(
        [*mounted, f'{mount} && exec "$2" -c "$3" "$1"', "sh", tmp_path, sys.executable,
         ON_A_FULL_DISK],
        capture_output=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr.decode()
    refused, left, all_there, sound, all_found = orjson.loads(done.stdout)
    names = {"remember": "engram", "backup": "backup", "vacuum": "vacuum", "new": "new"}
    assert refused == [[deed, str(tmp_path / f"{name}.db")] for deed, name in names.items()]
    assert "backup.db" not in left
    assert "vacuum.db" not in left
    assert (all_there, sound, all_found) == (True, True, True)


WITHOUT_RIGHTS = r"""
import os, sys
from contextlib import closing
import orjson
from engram_lab.core.errors import EngramError
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

SqliteStore.open(":memory:").close()  # all is imported while it may still be read
if os.geteuid() == 0:
    os.seteuid(65534)
told = {}
for read_only in (False, True):
    for name, deed in {
        "read": lambda store: store.memories.count(Selection()),
        "write": lambda store: store.memories.remember({"content": "new"}),
    }.items():
        case = f"{name} with read_only=True" if read_only else name
        try:
            with closing(SqliteStore.open(sys.argv[1], read_only=read_only)) as store:
                told[case] = str(deed(store))
        except EngramError as error:
            told[case] = type(error).__name__
print(orjson.dumps(told).decode())
"""


def without_rights(file: Path) -> dict[str, str]:
    """Tell what becomes of reading and writing a store, opened as somebody without rights."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RIGHTS, str(file)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, str] = orjson.loads(done.stdout)
    return told


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that others may enter: those that pytest makes are the user's alone."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_file_without_write_permission_is_read_and_refuses_writes(public_folder: Path) -> None:
    file = public_folder / "engram.db"
    fill(file)
    file.chmod(0o444)
    public_folder.chmod(0o777)
    assert without_rights(file) == {
        "read": "200",
        "write": "StoreReadOnlyError",
        "read with read_only=True": "200",
        "write with read_only=True": "StoreReadOnlyError",
    }


def test_a_folder_without_write_permission_is_named_as_the_cause(public_folder: Path) -> None:
    file = public_folder / "engram.db"
    fill(file)
    public_folder.chmod(0o555)
    assert set(without_rights(file).values()) == {"StoreReadOnlyError"}


def test_a_backup_is_read_from_a_folder_without_write_permission(public_folder: Path) -> None:
    file = public_folder / "engram.db"
    fill(file)
    with closing(open_store(file)) as store:
        store.backups.backup(str(public_folder / "backup.db"))
    public_folder.chmod(0o555)
    assert without_rights(public_folder / "backup.db") == {
        "read": "StoreReadOnlyError",
        "write": "StoreReadOnlyError",
        "read with read_only=True": "200",
        "write with read_only=True": "StoreReadOnlyError",
    }


def test_a_store_opened_read_only_refuses_every_write(path: Path) -> None:
    (id_, *_) = fill(path)
    with closing(open_store(path, read_only=True)) as store:
        for write in (
            lambda: store.memories.remember({"content": "new"}),
            lambda: store.memories.update(id_, {"content": "new"}),
            lambda: store.memories.forget(id_),
            lambda: store.memories.purge([id_]),
            store.memories.clean_up,
            store.transaction().__enter__,
            store.doctor.repair,
        ):
            with pytest.raises(StoreReadOnlyError):
                write()
        assert store.memories.count(Selection()) == 200
        store.backups.backup(f"{path}.backup")
