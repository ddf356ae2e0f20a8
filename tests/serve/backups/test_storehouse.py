from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engram_lab.config import BackupSettings
from engram_lab.core.errors import (
    ConfigError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from engram_lab.serve.backups.storehouse import Storehouse, StorehouseError

PART = 1_000_000


@pytest.fixture(params=["folder", "s3"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Storehouse:
    if request.param == "folder":
        return Storehouse.at(BackupSettings(place=str(tmp_path / "kept")))
    return Storehouse.at(request.getfixturevalue("s3"))


def parts(count: int) -> Iterator[bytes]:
    return (bytes([number]) * PART for number in range(count))


def test_what_is_put_comes_back(house: Storehouse) -> None:
    house.put("a/b/large", parts(20), size_bytes=20 * PART)
    house.claim("a/b/small", b"small")

    assert b"".join(house.get("a/b/large")) == b"".join(parts(20))
    assert house.read("a/b/small") == b"small"
    assert [(each.path, each.size_bytes) for each in house.list("a/b")] == [
        ("a/b/large", 20 * PART),
        ("a/b/small", 5),
    ]


def test_a_name_is_claimed_once(house: Storehouse) -> None:
    house.claim("a/one", b"first")
    with pytest.raises(ConflictError, match="exists and is kept"):
        house.claim("a/one", b"second")
    assert house.read("a/one") == b"first"


def test_a_note_is_renewed(house: Storehouse) -> None:
    house.note("a/mark", b"first")
    house.note("a/mark", b"second")
    assert house.read("a/mark") == b"second"


def test_a_folder_is_not_the_beginning_of_a_name(house: Storehouse) -> None:
    house.claim("tenants/a/db/x", b"")
    house.claim("tenants/ab/db/y", b"")
    assert [each.path for each in house.list("tenants/a")] == ["tenants/a/db/x"]


def test_deleting_passes_over_what_is_not_there(house: Storehouse) -> None:
    house.claim("a/one", b"")
    assert not house.is_empty("a")
    house.delete(["a/none", "a/one", "a/one"])
    assert house.is_empty("a")


def test_clearing_a_folder_leaves_its_neighbours(house: Storehouse, tmp_path: Path) -> None:
    house.claim("tenants/a/db/x", b"")
    house.claim("tenants/b/db/y", b"")
    if (tmp_path / "kept").exists():  # as a killed process leaves it
        (tmp_path / "kept/tenants/a/db/z#1").write_bytes(b"half")
    assert house.clear("tenants/a/db") == 1
    assert house.clear("tenants/a/db") == 0
    assert [each.path for each in house.list("tenants")] == ["tenants/b/db/y"]
    assert not (tmp_path / "kept/tenants/a").exists()


def test_what_is_not_there_is_said(house: Storehouse) -> None:
    with pytest.raises(NotFoundError, match="no such backup"):
        list(house.get("a/none"))
    assert house.list("a/nothing") == []


def test_an_upload_that_breaks_leaves_nothing(house: Storehouse) -> None:
    def broken() -> Iterator[bytes]:
        yield from parts(12)
        raise ValueError("it broke")

    with pytest.raises(ValueError, match="it broke"):
        house.put("a/large", broken(), size_bytes=20 * PART)
    assert house.is_empty("a")


@pytest.mark.parametrize("path", ["../escaped", "a/../../escaped", "a//b/../c"])
def test_no_path_leaves_the_place(house: Storehouse, path: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        house.claim(path, b"x")
    assert not list(tmp_path.rglob("escaped"))


def test_the_prefix_of_a_bucket_holds_all_of_it(s3: BackupSettings) -> None:
    Storehouse.at(s3).claim("a/one", b"")
    assert s3.place is not None
    whole = Storehouse.at(replace(s3, place=s3.place.removesuffix("/of/engram")))
    assert [each.path for each in whole.list("of")] == ["of/engram/a/one"]


def test_a_broken_upload_leaves_no_parts_to_pay_for(s3: BackupSettings) -> None:
    boto3 = pytest.importorskip("boto3", reason="comes with moto")

    def broken() -> Iterator[bytes]:
        yield from parts(20)
        raise ValueError("it broke")

    with pytest.raises(ValueError, match="it broke"):
        Storehouse.at(s3).put("a/large", broken(), size_bytes=30 * PART)
    assert s3.place is not None
    bucket = s3.place.split("/")[2]
    client = boto3.client("s3", endpoint_url=s3.s3_endpoint, region_name="us-east-1")
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
    client.close()


def test_a_place_that_is_away_is_said_without_naming_it(s3: BackupSettings) -> None:
    house = Storehouse.at(replace(s3, s3_endpoint="http://127.0.0.1:9"))
    for deed in (
        lambda: house.claim("a", b""),
        lambda: house.list("a"),
        lambda: house.is_empty("a"),
    ):
        with pytest.raises(StorehouseError, match="does not answer") as raised:
            deed()
        assert "127.0.0.1" not in str(raised.value)
        assert raised.value.status == 503


def test_a_bucket_that_is_not_there_is_said(s3: BackupSettings) -> None:
    house = Storehouse.at(replace(s3, place="s3://another-bucket/x"))
    with pytest.raises(StorehouseError, match="no such bucket"):
        house.claim("a", b"")


def test_without_credentials_the_settings_are_refused(
    s3: BackupSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ConfigError, match="AWS_ACCESS_KEY_ID"):
        Storehouse.at(s3)


@pytest.mark.parametrize("place", [None, "", "ftp://somewhere", "s3://", "s3:///x"])
def test_a_place_that_is_none_is_refused(place: str | None) -> None:
    with pytest.raises(ConfigError, match=r"backups\.place"):
        Storehouse.at(BackupSettings(place=place))


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be used as a folder"):
        Storehouse.at(BackupSettings(place=str(tmp_path / "file")))


FULL = r"""
import sys
from engram_lab.config import BackupSettings
from engram_lab.core.errors import StoreFullError
from engram_lab.serve.backups.storehouse import Storehouse
house = Storehouse.at(BackupSettings(place=sys.argv[1]))
try:
    house.put("a/large", (bytes(1 << 20) for _ in range(8)), size_bytes=8 << 20)
except StoreFullError as error:
    print(error, house.is_empty("a"))
"""


def test_a_full_disk_is_said_and_nothing_half_is_kept(tmp_path: Path) -> None:
    mounted = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = 'mount -t tmpfs -o size=4m tmpfs "$1"'
    try:
        tried = subprocess.run([*mounted, mount, "sh", tmp_path], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no `unshare`")
    if tried.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {tried.stderr.decode().strip()}")

    done = subprocess.run(
        [*mounted, f'{mount} && exec "$2" -c "$3" "$1"', "sh", tmp_path, sys.executable, FULL],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RUST_BACKTRACE": "0"},
    )

    assert done.stdout == "there is no room left where the backups are kept True\n", done.stderr
