"""What is purged or forgotten stays so: no dream, journal, undo or import brings it back."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from engram_lab.core.dreams import Change, DreamRun
from engram_lab.core.errors import AccessDeniedError, ImportRefusedError
from engram_lab.core.ids import IdSource
from engram_lab.core.protocols import Chunk
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

    Dream = Callable[..., DreamRun]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORD = "zyxwvutqponm"
_IDS = IdSource(9)


def remembered(store: SqliteStore, content: str, **fields: Any) -> str:
    return store.memories.remember({"content": content, **fields}).id


def gist_of(*sources: str, content: str = "gist", **fields: Any) -> list[Change]:
    id_ = _IDS.new(NOON)
    given = {"workspace": "default", "content": content, **fields}
    return [
        Change(
            step="abstract", action="remember", id=id_, fields=given, reason="r", sources=sources
        ),
        *(linked(id_, each, "derived_from") for each in sources),
    ]


def linked(start: str, end: str, kind: str, **fields: Any) -> Change:
    given = {"from_id": start, "to_id": end, "type": kind, "weight": 1.0, **fields}
    return Change(step="abstract", action="link", id=_IDS.new(NOON), fields=given, reason="r",
                  sources=(start, end))  # fmt: skip


def updated(id_: str, *sources: str, seen: int = 1, **fields: Any) -> Change:
    return Change(step="merge", action="update", id=id_, fields=fields, reason="r",
                  sources=sources, seen=seen)  # fmt: skip


def dropped(id_: str) -> Change:
    return Change(step="prune", action="unlink", id=id_, reason="r")


def traces(path: Path, word: str) -> list[str]:
    """Return where a word stands, looked for in every column of every table there is."""
    found = []
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f"PRAGMA table_info({table})").fetchall():
                sql = f"SELECT count(*) FROM {table} WHERE instr(lower(CAST({row[1]} AS BLOB)), ?)"
                if connection.execute(sql, (word.encode(),)).get:
                    found.append(f"{table}.{row[1]}")
    return found


def dream_of_everything(store: SqliteStore, dream: Dream) -> tuple[str, str, DreamRun]:
    """Put the word of a memory wherever a dream can hold it; return the memory, the gist, the run.

    What it tells of the memory itself is among it, and what it tells of others that rest on it.
    """
    source = remembered(store, f"the {WORD}", tags=[WORD], metadata={WORD: 1})
    other = remembered(store, "something else")
    old = store.links.put(source, other, context=f"{WORD} leads there", type=WORD)
    gist = gist_of(source, other, content=f"gist of {WORD}", tags=[WORD], metadata={"of": WORD})
    run = dream(
        [
            updated(source, other, tags=[f"{WORD}-2"], metadata={"was": WORD}),
            updated(other, source, metadata={"absorbed": WORD}),
            updated(other, seen=2, metadata={}),
            Change(step="s", action="link", id=old.id, reason="r", seen=old.updated_at,
                   fields={"context": f"{WORD} again"}),
            *gist,
        ]
    )  # fmt: skip
    store.injections.put(f"remember that the {WORD}")
    store.injections.put("remember the milk")
    return source, gist[0].id, run


def test_the_word_is_found_where_it_was_put(
    file_store: SqliteStore, path: Path, file_dream: Dream
) -> None:
    dream_of_everything(file_store, file_dream)
    found = set(traces(path, WORD))
    assert found >= {
        "dream_journal.fields", "dream_journal.image", "memories.content", "versions.tags",
        "pending_injections.content",
    }  # fmt: skip


def test_a_purge_takes_what_dreams_derived_and_all_that_they_tell(
    file_store: SqliteStore, path: Path, file_dream: Dream
) -> None:
    store = file_store
    source, gist, run = dream_of_everything(store, file_dream)
    (other,) = set(store.dreams.columns("default").ids) - {source, gist}
    assert store.memories.derived([source]) == [gist]
    report = store.memories.purge([source])

    assert report.ids == (source, gist)
    # What a merge put into another memory is a past of that one, told there and nowhere else.
    assert set(traces(path, WORD)) == {"versions.metadata"}
    store.memories.purge([other])
    assert traces(path, WORD) == []
    assert [each.content for each in store.injections.waiting()] == ["remember the milk"]
    assert store.dreams.changes_of(run.id) == []
    assert store.dreams.undo(run.id).memories == 0


def known(store: SqliteStore) -> list[str]:
    return store.dreams.columns("default").ids


def test_the_report_names_what_went_with_it(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a"), remembered(store, "b")
    gist = gist_of(a)
    of_gist = gist_of(gist[0].id)
    quoting = remembered(store, "a user's own", source="notes")
    store.links.put(quoting, a, type="derived_from")
    dream([*gist, *of_gist])

    assert store.memories.purge([a]).ids == (a, gist[0].id, of_gist[0].id)
    assert known(store) == [b, quoting]
    purged = [each.id for each in store.changes.since(0) if each.action == "purge"]
    assert purged == [a, gist[0].id, of_gist[0].id]


def test_a_purge_finds_what_was_derived_though_its_link_is_gone(
    store: SqliteStore, dream: Dream
) -> None:
    a = remembered(store, "a")
    gist, link = gist_of(a)
    dream([gist, link])
    dream([dropped(link.id)])
    assert store.memories.purge([a]).ids == (a, gist.id)


def test_what_rests_on_the_purged_is_still_undone(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a"), remembered(store, "b")
    run = dream([updated(b, a, b, tags=["from a"]), *gist_of(b)])
    store.memories.purge([a])

    change, gist, link = store.dreams.changes_of(run.id)
    assert (change.id, change.fields, change.sources) == (b, {}, (b,))
    assert gist.fields["content"] == "gist"
    assert link.sources == (gist.id, b)
    store.dreams.undo(run.id)
    assert store.memories.get(b).tags == ()
    assert known(store) == [b]


def test_a_purge_after_an_undo_leaves_nothing_in_the_journal(
    file_store: SqliteStore, path: Path, file_dream: Dream
) -> None:
    source, _, run = dream_of_everything(file_store, file_dream)
    file_store.dreams.undo(run.id)
    assert "dream_journal.fields" in traces(path, WORD)
    file_store.memories.purge([source])
    assert traces(path, WORD) == []


def test_what_expires_takes_what_was_derived_with_it(
    store: SqliteStore, clock: ManualClock, dream: Dream
) -> None:
    daily = remembered(store, "for a day", tier="daily")
    dream(gist_of(daily))
    clock.advance(days=2)
    assert store.memories.clean_up().expired == 1
    assert known(store) == []


def test_who_forgets_a_source_forgets_what_was_derived(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a"), remembered(store, "b")
    gist = gist_of(a, b)
    of_gist = gist_of(gist[0].id)
    dream([*gist, *of_gist])
    store.memories.forget(a, author="ada")

    assert known(store) == [b]
    last = store.memories.history(gist[0].id)[-1]
    assert (last.action, last.author, last.reason) == ("forget", "ada", f"derived from {a}")
    store.memories.restore(a)
    assert known(store) == [a, b]


def test_what_a_dream_forgets_leaves_the_gist_that_stands_for_it(
    store: SqliteStore, dream: Dream
) -> None:
    a = remembered(store, "a")
    gist = gist_of(a)
    forgotten = Change(step="prune", action="forget", id=a, reason="r", seen=1)
    dream([*gist, forgotten])
    assert known(store) == [gist[0].id]


@pytest.mark.parametrize("deed", ["purge", "forget"])
def test_what_quotes_a_memory_goes_with_it_also_beyond_reach(
    store: SqliteStore, dream: Dream, deed: str
) -> None:
    agent = store.as_agent("ada", "global/agent:ada")
    own = agent.memories.remember({"content": "mine"}).id
    gist = gist_of(own, scope="global/agent:ada")
    dream(gist)
    store.memories.update(gist[0].id, {"scope": "global/org:a"})
    assert agent.memories.derived([own]) == []
    if deed == "purge":
        agent.memories.purge([own])
    else:
        agent.memories.forget(own)
    assert known(store) == []


def test_to_purge_a_source_takes_leave_to_purge(store: SqliteStore, dream: Dream) -> None:
    a = remembered(store, "a")
    dream(gist_of(a))
    agent = store.as_agent("ada", "global/agent:ada")
    with pytest.raises(AccessDeniedError):
        agent.memories.purge([a])
    assert len(known(store)) == 2


def exported(store: SqliteStore) -> list[Chunk]:
    return [
        Chunk(name, list(enumerate(store.tables.scan(name, EVERYTHING).read_all().to_pylist())))
        for name in SCHEMAS
    ]


def test_an_import_brings_nothing_back(store: SqliteStore, dream: Dream) -> None:
    gone, hidden, kept = (remembered(store, each) for each in ("gone", "hidden", "kept"))
    store.links.put(gone, kept)
    gist = gist_of(gone)
    dream(gist)
    file = exported(store)
    store.memories.purge([gone])
    store.memories.forget(hidden)
    before = exported(store)
    with pytest.raises(ImportRefusedError):
        store.loader.load(file)
    report = store.loader.load(file, keep_going=True)

    told = {each.row: each.reason for each in report.refused if each.table == "memories"}
    assert told == {
        0: f"memory {gone} was purged here, and an import brings nothing back: "
        "remember it anew if it is wanted after all",
        1: f"memory {hidden} is already there, in another state",
        3: f"memory {gist[0].id} was purged here, and an import brings nothing back: "
        "remember it anew if it is wanted after all",
    }
    assert set(report.imported.values()) == {0}
    assert exported(store) == before
    assert known(store) == [kept]


def test_a_dream_that_was_undone_is_not_imported_again(store: SqliteStore, dream: Dream) -> None:
    a = remembered(store, "a")
    run = dream(gist_of(a))
    file = exported(store)
    store.dreams.undo(run.id)
    store.loader.load(file, keep_going=True)
    assert known(store) == [a]


def test_what_is_remembered_anew_is_there(store: SqliteStore) -> None:
    a = remembered(store, "a")
    file = exported(store)
    store.memories.purge([a])
    store.memories.remember({"id": a, "content": "a"})
    report = store.loader.load(file, keep_going=True)
    assert report.refused == ()
    assert known(store) == [a]
