from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.ids import IdSource
from engram_lab.serve.backups.layout import SEALED, BackupName, folder_of, stem_of

ZERO = "01890000-0000-7000-8000-000000000000"
AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


@given(
    at=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001 - made aware below
    schema=st.integers(0, 999_999),
)
def test_a_name_says_its_moment_and_schema_and_sorts_by_them(at: datetime, schema: int) -> None:
    name = BackupName(at=at.replace(tzinfo=UTC), schema=schema)
    assert BackupName.parse(str(name)) == name
    assert stem_of(f"tenants/x/db/{name}{SEALED}", SEALED) == name
    assert name < name.later()
    assert str(name) < str(name.later())


def test_the_layout_is_the_documented_one() -> None:
    tenant = IdSource(1).new(AT)
    assert folder_of(tenant) == f"tenants/{tenant}/db"
    assert str(BackupName(at=AT, schema=7)) == "20260501T123000000000Z_v7.sqlite"


@given(st.text())
def test_no_text_leads_out_of_the_folder(text: str) -> None:
    with pytest.raises(InvalidInputError):
        folder_of(text)
    with pytest.raises(InvalidInputError):
        BackupName.parse(text)


@pytest.mark.parametrize(
    "forged",
    [
        "../20260501T123000000000Z_v7.sqlite",
        "20260501T123000000000Z_v7.sqlite/..",
        "20260501T123000000000Z_v7.sqlite\n",
        "20260501T123000000000Z_v7.sqlite\0",
        "20261301T123000000000Z_v7.sqlite",
        "\u0662\u0660\u0662\u06660501T123000000000Z_v7.sqlite",
        "20260501T123000000000Z_v7.sqlite.sealed",
        "",
    ],
)
def test_a_forged_name_is_refused(forged: str) -> None:
    with pytest.raises(InvalidInputError, match="no name of a backup"):
        BackupName.parse(forged)


@pytest.mark.parametrize(
    "forged",
    [
        "..",
        "../other",
        "a/b",
        "",
        "01890000-0000-7000-8000-00000000000/",
        "A" * 36,
        f"{ZERO}/..",
        f"{ZERO}\n",
    ],
)
def test_a_forged_tenant_is_refused(forged: str) -> None:
    with pytest.raises(InvalidInputError, match="no id of a tenant"):
        folder_of(forged)
