from __future__ import annotations

from inspect import getattr_static, isfunction, signature
from typing import get_type_hints

import pytest

from engram_lab.core import protocols
from engram_lab.core.protocols import Backups, HasBackups, Store
from engram_lab.core.sqlite import SqliteStore

# What the rooms of one database file tell each other, in SQL: no other store needs it.
AMONG_THEMSELVES = {("memories", "find"), ("tables", "query")}
ROOMS = {
    **{
        name: get_type_hints(each.fget, vars(protocols))["return"]
        for name, each in vars(Store).items()
        if isinstance(each, property)
    },
    "backups": Backups,
}


def _(store: SqliteStore) -> Store:
    return store  # what mypy says to this is the test


def _(store: SqliteStore) -> HasBackups:
    return store


def methods(of: object) -> set[str]:
    names = [name for name in dir(of) if not name.startswith("_")]
    return {name for name in names if isfunction(getattr_static(of, name))}


def parameters(of: object, method: str) -> list[object]:
    return list(signature(getattr(of, method)).parameters.values())


def test_a_store_has_the_rooms_that_are_asked_for() -> None:
    assert set(ROOMS) - {"backups"} == {
        "memories", "links", "events", "vectors", "entities", "identities", "sessions",
        "workspaces", "grants", "corpus", "embedding_queue", "changes", "tables", "loader",
        "doctor", "dreams", "injections",
    }  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_and_its_protocol_offer_the_same(room: str) -> None:
    offered = type(getattr(SqliteStore.open(":memory:"), room))
    hidden = {method for where, method in AMONG_THEMSELVES if where == room}

    assert methods(offered) - hidden == methods(ROOMS[room])
    for method in methods(ROOMS[room]):
        assert parameters(offered, method) == parameters(ROOMS[room], method), method


def test_the_store_and_its_protocol_offer_the_same() -> None:
    assert methods(SqliteStore) == methods(Store)  # `open`, a class method, is SQLite's own
    for method in methods(Store):
        assert parameters(SqliteStore, method) == parameters(Store, method), method


def test_backups_can_be_asked_for() -> None:
    assert isinstance(SqliteStore.open(":memory:"), HasBackups)
    assert not isinstance(object(), HasBackups)
