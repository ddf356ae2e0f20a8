from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EngramError, InvalidInputError, StoreError
from engram_lab.serve.tenants.places import Places, born

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.ids import IdSource
    from engram_lab.serve.control.records import Tenant

GOOD = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    "forged",
    [
        "",
        ".",
        "..",
        "../other",
        f"../{GOOD}",
        f"{GOOD}/..",
        f"{GOOD}/../../../etc",
        f"{GOOD}\n",
        f"{GOOD}\0",
        f" {GOOD}",
        GOOD.upper(),
        GOOD.replace("-", ""),
        f"{{{GOOD}}}",
        "01890a5d-ac96-474b-bcce-b302099a8057",
        "01890a5d-ac96-774b-fcce-b302099a8057",
        "\uff10\uff11890a5d-ac96-774b-bcce-b302099a8057",
        "/etc/passwd",
        "C:\\engram",
    ],
)
def test_what_is_no_id_of_a_tenant_is_no_path(places: Places, forged: str) -> None:
    for verb in (places.folder, places.database, places.size, places.make, places.remove):
        with pytest.raises(InvalidInputError):
            verb(forged)


@given(text=st.text(max_size=60))
def test_no_text_leads_out_of_the_folder(text: str) -> None:
    places = Places(Path("/nowhere/data"))
    try:
        found = places.database(text)
    except EngramError:
        return
    assert found == Path("/nowhere/data/tenants") / text / "engram.db"
    assert Path(os.path.normpath(found)) == found


def test_a_folder_is_for_its_owner_alone(places: Places) -> None:
    old = os.umask(0)
    try:
        folder = places.make(GOOD)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert places.database(GOOD) == folder / "engram.db"
    assert not places.exists(GOOD)


def test_a_link_in_the_place_of_a_folder_is_not_followed(places: Places, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "engram.db").write_bytes(b"of somebody else")
    places.make(GOOD).rmdir()
    (places.root / "tenants" / GOOD).symlink_to(other)
    for verb in (places.database, places.exists, places.size, places.remove, places.make):
        with pytest.raises(StoreError):
            verb(GOOD)
    assert (other / "engram.db").read_bytes() == b"of somebody else"


@pytest.mark.parametrize("name", ["engram.db", "engram.db-wal", "engram.db-shm", "engram.db.index"])
def test_a_link_in_the_place_of_a_file_is_not_followed(
    places: Places, tmp_path: Path, name: str
) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"of somebody else")
    (places.make(GOOD) / name).symlink_to(other)
    with pytest.raises(StoreError):
        places.database(GOOD)


def test_a_link_in_the_place_of_all_folders_is_not_followed(places: Places, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    places.root.mkdir()
    (places.root / "tenants").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        places.make(GOOD)


def test_whoever_runs_the_server_may_link_to_the_data(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    assert Places(tmp_path / "data").make(GOOD) == tmp_path / "disk" / "tenants" / GOOD


def test_size_counts_the_database_its_log_and_its_index_files(places: Places) -> None:
    assert places.size(GOOD) == 0
    folder = places.make(GOOD)
    (folder / "engram.db").write_bytes(b"x" * 1000)
    (folder / "engram.db-wal").write_bytes(b"x" * 200)
    (folder / "engram.db.index").mkdir()
    (folder / "engram.db.index" / "words.base").write_bytes(b"x" * 30)
    assert places.size(GOOD) == 1230


def test_what_is_removed_is_gone_and_a_second_time_is_nothing(
    places: Places, tenant_of: Callable[..., Tenant]
) -> None:
    tenant, other = tenant_of("one"), tenant_of("two")
    assert places.exists(tenant.id)
    assert places.remove(tenant.id)
    assert not places.exists(tenant.id)
    assert not places.remove(tenant.id)
    assert places.all() == [other.id]
    assert [each.name for each in (places.root / "tenants").iterdir()] == [other.id]


def test_a_removal_that_was_cut_short_is_finished(places: Places) -> None:
    folder = places.make(GOOD)
    (folder / "engram.db").write_bytes(b"x")
    folder.rename(folder.with_name(f".gone-{GOOD}"))
    assert places.all() == []
    assert places.sweep() == 1
    assert list((places.root / "tenants").iterdir()) == []


def test_removing_goes_on_over_what_an_earlier_one_left(places: Places) -> None:
    folder = places.make(GOOD)
    (folder.with_name(f".gone-{GOOD}")).mkdir()
    (folder.with_name(f".gone-{GOOD}") / "engram.db").write_bytes(b"x")
    assert places.remove(GOOD)
    assert list((places.root / "tenants").iterdir()) == []


def test_an_id_tells_when_it_was_made(clock: ManualClock, ids: IdSource) -> None:
    assert born(ids.new(clock.now())) == clock.now()
