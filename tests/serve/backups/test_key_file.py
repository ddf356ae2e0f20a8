from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engram_lab.core.errors import BackupError, ConflictError
from engram_lab.serve.backups.key_file import KeyFile

AT = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_key_is_made_once_and_never_overwritten(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "deep" / "backup.key")
    key = file.make(AT)
    text = file.path.read_bytes()

    with pytest.raises(ConflictError, match="exists and is kept"):
        file.make(AT)

    assert file.path.read_bytes() == text
    assert file.read().newest == key
    assert len(key.secret) == 32


def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys" / "backup.key")
    file.make(AT)
    file.rotate(AT)

    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert {each.name for each in file.path.parent.iterdir()} == {
        "backup.key",
        ".backup.key.lock",
    }


def test_a_rotated_ring_keeps_every_key(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "backup.key")
    made = [file.make(AT), file.rotate(AT), file.rotate(AT)]

    ring = file.read()
    assert list(ring.keys) == made
    assert ring.newest == made[-1]
    assert all(ring.get(key.id) == key for key in made)
    assert len({key.secret for key in made}) == 3


def test_rotations_at_the_same_time_lose_no_key(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "backup.key")
    first = file.make(AT)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: file.rotate(AT), range(16)))

    assert {key.id for key in file.read().keys} == {first.id, *(key.id for key in made)}


def test_of_many_who_make_it_one_wins(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "backup.key")

    def make(_: int) -> str | None:
        try:
            return file.make(AT).id
        except ConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [each for each in pool.map(make, range(16)) if each]
    assert made == [file.read().newest.id]


def test_the_key_itself_is_never_shown(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "backup.key").make(AT)
    assert "secret" not in repr(key)
    assert key.secret.hex() not in repr(key)
    assert key.id not in key.secret.hex()


def test_a_missing_key_is_one_clear_sentence(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "backup.key")
    for deed in (file.read, lambda: file.rotate(AT)):
        with pytest.raises(BackupError, match="the key of the backups is missing") as raised:
            deed()
        assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "backup.key")
    file.make(AT)
    file.path.chmod(0o640)
    with pytest.raises(BackupError, match="chmod 600"):
        file.read()
    file.path.chmod(0o400)
    assert file.read().keys


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"engram-backup-key-1", b"something-else-1"),
        lambda text: b"",
        lambda text: text + b"\xff\xfe rubbish\n",
        lambda text: text.replace(text.split()[-3], b"0" * 16),
    ],
)
def test_a_damaged_key_file_is_never_used(tmp_path: Path, damage: object) -> None:
    file = KeyFile(tmp_path / "backup.key")
    file.make(AT)
    assert callable(damage)
    file.path.write_bytes(damage(file.path.read_bytes()))
    with pytest.raises(BackupError, match="bring back the copy"):
        file.read()
    with pytest.raises(BackupError, match="bring back the copy"):
        file.rotate(AT)
