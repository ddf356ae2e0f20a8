from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.text import normalise
from engram_lab.core.types import Entity, Identity, Mention

if TYPE_CHECKING:
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"

labels = st.text(
    alphabet="aAbBß éÉ\u0301\u2003\u0131Iİ\u017f\u212a", min_size=1, max_size=6
).filter(str.strip)


@pytest.fixture
def note(store: SqliteStore) -> Memory:
    return store.memories.remember({"content": "Ada met Bob"})


def test_an_identity_has_its_name_for_an_alias(store: SqliteStore) -> None:
    ada = store.identities.add(
        "Ada",
        kind="author",
        aliases=["Countess"],
        description="wrote notes",
        metadata={"born": 1815},
    )
    assert ada == Identity(
        id=ada.id,
        name="Ada",
        kind="author",
        description="wrote notes",
        aliases=("Ada", "Countess"),
        metadata={"born": 1815},
        created_at=NOON,
    )
    assert [ada] == store.identities.all()
    assert ada == store.identities.get(ada.id)


@pytest.mark.parametrize("alias", ["ada lovelace", "ADA  LOVELACE", " Ada\tLovelace\n"])
def test_an_alias_is_found_whatever_its_case_and_spacing(store: SqliteStore, alias: str) -> None:
    ada = store.identities.add("Ada Lovelace")
    assert ada == store.identities.resolve(alias)
    assert store.identities.resolve("ada") is None


def test_adding_an_alias_twice_changes_nothing(store: SqliteStore) -> None:
    ada = store.identities.add("Ada", aliases=["Ada", "ADA"])
    assert ada.aliases == ("Ada",)
    assert ada == store.identities.add_alias(ada.id, " aDa ")
    assert store.identities.add_alias(ada.id, "Countess").aliases == ("Ada", "Countess")


def test_an_alias_belongs_to_one(store: SqliteStore) -> None:
    ada = store.identities.add("Ada")
    bob = store.identities.add("Bob")
    with pytest.raises(ConflictError, match=f"'ADA' belongs to identity {ada.id}"):
        store.identities.add_alias(bob.id, "ADA")
    with pytest.raises(ConflictError):
        store.identities.add("ada")
    with pytest.raises(ConflictError):
        store.identities.add("Cy", aliases=["Cyrus", "BOB"])
    assert [ada, bob] == store.identities.all()
    assert store.identities.resolve("Cyrus") is None


def test_a_removed_alias_is_free_for_another(store: SqliteStore) -> None:
    ada = store.identities.add("Ada", aliases=["Countess"])
    store.identities.remove_alias("COUNTESS")
    assert store.identities.get(ada.id).aliases == ("Ada",)
    other = store.identities.add("Countess")
    assert other == store.identities.resolve("countess")
    with pytest.raises(NotFoundError, match="nobody is called 'Nobody'"):
        store.identities.remove_alias("Nobody")


def test_an_unknown_identity_is_not_found(store: SqliteStore) -> None:
    with pytest.raises(NotFoundError):
        store.identities.get(UNKNOWN)
    with pytest.raises(NotFoundError):
        store.identities.add_alias(UNKNOWN, "Ada")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a\x00"},
        {"name": None},
        {"kind": ""},
        {"aliases": [""]},
        {"aliases": [7]},
        {"aliases": "Countess"},
        {"description": ""},
        {"metadata": {"a": float("nan")}},
        {"metadata": [1]},
    ],
)
def test_a_malformed_identity_is_refused(store: SqliteStore, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        store.identities.add(**{"name": "Ada", **fields})
    assert store.identities.all() == []
    assert store.identities.resolve("Ada") is None


@given(st.lists(labels, min_size=1, max_size=8))
def test_names_that_are_the_same_have_one_owner(names: list[str]) -> None:
    store = SqliteStore.open(":memory:")
    owners: dict[str, str] = {}
    for name in names:
        try:
            identity = store.identities.add(name)
        except ConflictError:
            assert normalise(name) in owners
        else:
            assert normalise(name) not in owners
            owners[normalise(name)] = identity.id
    for name in names:
        found = store.identities.resolve(name)
        assert found is not None
        assert owners[normalise(name)] == found.id
    store.close()


def test_a_mention_makes_its_entity(store: SqliteStore, note: Memory) -> None:
    ada = store.identities.add("Ada")
    entity = store.entities.mention(
        note.id, "Ada", kind="person", confidence=0.9, source="rules", identity_id=ada.id,
        metadata={"a": 1},
    )  # fmt: skip
    assert entity == Entity(
        id=entity.id,
        name="Ada",
        kind="person",
        workspace="default",
        identity_id=ada.id,
        metadata={"a": 1},
        created_at=NOON,
    )
    mention = Mention(memory_id=note.id, entity_id=entity.id, confidence=0.9, source="rules")
    assert [(entity, mention)] == store.entities.of(note.id)
    assert [note.id] == store.entities.memories(entity.id)
    assert [entity] == store.entities.all()


def test_an_entity_is_one_for_each_name_kind_and_workspace(
    store: SqliteStore, note: Memory
) -> None:
    elsewhere = store.memories.remember({"content": "Ada", "workspace": "kitchen"})
    first = store.entities.mention(note.id, "Ada", kind="person")
    assert first == store.entities.mention(note.id, " ADA ", kind="person")
    ship = store.entities.mention(note.id, "Ada", kind="ship")
    other = store.entities.mention(elsewhere.id, "ada", kind="person")
    assert {first.id, ship.id, other.id} == {each.id for each in store.entities.find("ADA")}
    assert [ship] == store.entities.find("ada", kind="ship")
    assert (first.name, other.workspace) == ("Ada", "kitchen")


def test_a_second_mention_replaces_how_sure_it_is(store: SqliteStore, note: Memory) -> None:
    store.entities.mention(note.id, "Ada", confidence=0.3, source="rules")
    store.entities.mention(note.id, "Bob", confidence=0.5)
    entity = store.entities.mention(note.id, "ada", confidence=0.8, source="model")
    mentions = [mention for _, mention in store.entities.of(note.id)]
    assert [mention.confidence for mention in mentions] == [0.8, 0.5]
    assert (entity.id, "model") == (mentions[0].entity_id, mentions[0].source)


def test_what_a_mention_does_not_say_stays(store: SqliteStore, note: Memory) -> None:
    ada = store.identities.add("Ada")
    store.entities.mention(note.id, "Ada", identity_id=ada.id, metadata={"a": 1})
    entity = store.entities.mention(note.id, "Ada")
    assert (ada.id, {"a": 1}) == (entity.identity_id, entity.metadata)
    assert store.entities.mention(note.id, "Ada", metadata={}).metadata == {}


def test_a_forgotten_memory_mentions_nothing(store: SqliteStore, note: Memory) -> None:
    entity = store.entities.mention(note.id, "Ada")
    store.memories.forget(note.id)
    assert store.entities.memories(entity.id) == []
    with pytest.raises(NotFoundError):
        store.entities.of(note.id)
    store.memories.restore(note.id)
    assert [note.id] == store.entities.memories(entity.id)


def test_a_mention_needs_what_it_names(store: SqliteStore, note: Memory) -> None:
    with pytest.raises(NotFoundError):
        store.entities.mention(UNKNOWN, "Ada")
    with pytest.raises(NotFoundError, match="there is no identity"):
        store.entities.mention(note.id, "Ada", identity_id=UNKNOWN)
    assert store.entities.all() == []
    assert store.entities.memories(UNKNOWN) == []
    assert store.entities.find("Ada") == []


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"kind": "x" * 65}, {"confidence": 2}, {"source": ""}, {"metadata": {"a": b""}}],
)
def test_a_malformed_mention_is_refused(
    store: SqliteStore, note: Memory, fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        store.entities.mention(note.id, **{"name": "Ada", **fields})
    assert store.entities.all() == []
