"""What the command line refuses in one sentence, and what it records of what it did not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Engram


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGRAM_TENANCY_DATA", str(tmp_path / "hosted"))
    monkeypatch.setenv("ENGRAM_EMBEDDING_MODEL", "none")


@pytest.mark.parametrize("overlap", ["nan", "inf", "1e300", "-1"])
def test_an_overlap_that_is_none_is_refused(engram: Engram, overlap: str) -> None:
    engram("tenant", "create", "acme")
    engram("key", "create", "acme")
    (key,) = engram.json("key", "list", "acme")
    assert "allowed" in engram.refused("key", "rotate", "acme", key["id"], f"--overlap={overlap}")
    assert len(engram.json("key", "list", "acme")) == 1


def test_a_purge_that_was_refused_is_in_no_audit(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    engram.refused("tenant", "purge", "acme")
    told = engram.json("tenant", "audit", "acme")
    assert [each["kind"] for each in told["entries"]] == ["tenant.create"]


def test_no_entries_of_an_audit_cannot_be_asked_for(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    assert "--limit" in engram.refused("tenant", "audit", "acme", "--limit=-1")
