from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from engram_lab.core.errors import DatasetChangedError
from engram_lab.evaluation.datasets.manifest import Archive
from engram_lab.evaluation.datasets.unpacking import unpack

Kind = Literal["zip", "tar", "tar.gz"]
KINDS: tuple[Kind, ...] = ("zip", "tar", "tar.gz")


def pack(path: Path, kind: Kind, files: Mapping[str, bytes]) -> Path:
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            for name, data in files.items():
                zipped.writestr(name, data)
        return path
    with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def unpacked(
    path: Path, kind: Kind, names: tuple[str, ...] = ("a.txt", "b/c.txt"), strip: str = "set"
) -> dict[str, bytes]:
    folder = path.parent / "out"
    folder.mkdir()
    archive = Archive(url="https://example.org/a", kind=kind, strip=strip)
    unpack(path, folder, archive=archive, names=names)
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in sorted(folder.rglob("*"))
        if each.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_named_is_unpacked(tmp_path: Path, kind: Kind) -> None:
    files = {"set/a.txt": b"a", "set/b/c.txt": b"c", "set/other": b"o", "a.txt": b"not this"}
    path = pack(tmp_path / "x", kind, files)

    assert unpacked(path, kind) == {"a.txt": b"a", "b/c.txt": b"c"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_without_a_folder_of_its_own(tmp_path: Path, kind: Kind) -> None:
    path = pack(tmp_path / "x", kind, {"./a.txt": b"a", "b/c.txt": b"c"})

    assert unpacked(path, kind, strip="") == {"a.txt": b"a", "b/c.txt": b"c"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["../evil", "/evil", "set/../../evil", "set\\..\\evil", "C:/evil"])
def test_an_archive_that_leads_out_is_refused_whole(tmp_path: Path, kind: Kind, name: str) -> None:
    path = pack(tmp_path / "x", kind, {"set/a.txt": b"a", name: b"evil"})

    with pytest.raises(DatasetChangedError, match="leads out of the folder"):
        unpacked(path, kind)
    assert not list((tmp_path / "out").iterdir())
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("link", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path, link: bytes) -> None:
    (tmp_path / "secret").write_text("secret")
    with tarfile.open(tmp_path / "x", "w") as tar:
        member = tarfile.TarInfo("set/a.txt")
        member.type, member.linkname = link, "../../secret"
        tar.addfile(member)

    with pytest.raises(DatasetChangedError, match="as something else than a file"):
        unpacked(tmp_path / "x", "tar")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [b"", b"this is no archive", b"\x1f\x8b\x08 nor this"])
def test_what_is_no_archive_is_refused(tmp_path: Path, kind: Kind, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)

    with pytest.raises(DatasetChangedError, match=f"is no {kind}"):
        unpacked(tmp_path / "x", kind)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_that_breaks_off_is_refused(tmp_path: Path, kind: Kind) -> None:
    path = pack(tmp_path / "x", kind, {"set/a.txt": bytes(range(256)) * 400})
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(DatasetChangedError, match=f"is no {kind}"):
        unpacked(path, kind)


def test_a_zip_whose_bytes_were_damaged_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "x", "zip", {"set/a.txt": b"a" * 100})
    path.write_bytes(path.read_bytes().replace(b"aaa", b"aba", 1))

    with pytest.raises(DatasetChangedError, match="is no zip"):
        unpacked(path, "zip")
