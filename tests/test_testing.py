from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import testing
from engram_lab.core.clock import ManualClock
from engram_lab.core.drafts import DRAFT_FIELDS
from engram_lab.core.errors import EngramError
from engram_lab.core.filters import ALWAYS, Not, matches, parse_filter
from engram_lab.core.reports import CleanupReport, PurgeReport
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.testing import ConformanceError, check_store, filters, memory_drafts
from engram_lab.testing.store import STORE_LAWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.core.protocols import Store
    from engram_lab.core.reports import Page

    Sabotage = Callable[..., Any]


def in_memory() -> SqliteStore:
    return SqliteStore.open(":memory:")


def test_the_store_keeps_the_laws_in_memory() -> None:
    check_store(in_memory)


def test_the_store_keeps_the_laws_in_a_file(tmp_path: Path) -> None:
    number = count()
    check_store(lambda: SqliteStore.open(str(tmp_path / f"{next(number)}.db")))


@pytest.mark.parametrize("tick", [timedelta(0), timedelta(minutes=1), timedelta(minutes=-1)])
def test_the_laws_hold_whether_the_clock_stands_or_runs_either_way(tick: timedelta) -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    check_store(lambda: SqliteStore.open(":memory:", clock=ManualClock(start, tick=tick)))


def sabotaged(room: str, method: str, sabotage: Sabotage) -> Callable[[], Store]:
    """Open stores of which one method does something else; it is given the true one."""

    def spoil(store: SqliteStore) -> SqliteStore:
        of = store if room == "store" else getattr(store, room)
        vars(of)[method] = partial(sabotage, getattr(of, method))
        return store

    def spoilt_view(view: Sabotage, agent_id: str, scope: str) -> SqliteStore:
        return spoil(view(agent_id, scope))

    def open_store() -> SqliteStore:
        store = spoil(in_memory())
        if room != "store":
            vars(store)["as_agent"] = partial(spoilt_view, store.as_agent)
        return store

    return open_store


def without_tags(true: Sabotage, draft: dict[str, Any], **options: Any) -> Any:
    return true({**draft, "tags": []}, **options)


def one_by_one(true: Sabotage, drafts: Any, **options: Any) -> Any:
    return [true([draft], **options) for draft in drafts][-1]


def shows_private(true: Sabotage, id_: str, **options: Any) -> Any:
    return true(id_, **{**options, "private": True})


def forgets_nothing(true: Sabotage, id_: str, **options: Any) -> None:
    true.__self__.get(id_)  # type: ignore[attr-defined]  # a bound method


def ignores_version(true: Sabotage, id_: str, changes: Any, **options: Any) -> Any:
    return true(id_, changes, **{**options, "version": None})


def only_the_last(true: Sabotage, id_: str, **options: Any) -> Any:
    return true(id_, **options)[-1:]


def ignores_as_of(true: Sabotage, id_: str, **options: Any) -> Any:
    return true(id_, **{**options, "as_of": None})


def cleans_nothing(_true: Sabotage) -> CleanupReport:
    return CleanupReport(expired=0, aged_out=0, over_limit=0)


def ignores_dedup(true: Sabotage, draft: Any, **options: Any) -> Any:
    return true(draft, **{**options, "dedup": "allow"})


def shows_closed_links(true: Sabotage, id_: str, **options: Any) -> Any:
    return true(id_, **{**options, "closed": True})


def loses_the_sign_of_zero(true: Sabotage, embedder: str, ids: Any, values: Any) -> None:
    true(embedder, ids, values + values.dtype.type(0))


def does_nothing(_true: Sabotage, *_arguments: Any) -> None:
    return


def backwards(true: Sabotage, id_: str, turns: Any) -> Any:
    return true(id_, [*turns][::-1])


def exact_names_alone(true: Sabotage, alias: str) -> Any:
    found = true(alias)
    return found if found is not None and alias in found.aliases else None


def no_transaction(_true: Sabotage) -> Any:
    return nullcontext()


def leaves_out_forgetting(true: Sabotage, number: int, **options: Any) -> Any:
    return [entry for entry in true(number, **options) if entry.action != "forget"]


def only_hides(true: Sabotage, ids: Any, **options: Any) -> PurgeReport:
    for id_ in ids:
        true.__self__.forget(id_, **options)  # type: ignore[attr-defined]
    return PurgeReport(ids=tuple(ids), erased=True)


def loses_links(true: Sabotage, chunks: Any, **options: Any) -> Any:
    return true([chunk for chunk in chunks if chunk.table != "links"], **options)


def always_goes_on(true: Sabotage, chunks: Any, **_options: Any) -> Any:
    return true(chunks, keep_going=True)


def first_page_again(true: Sabotage, selection: Selection, **options: Any) -> Any:
    return true(selection, **{**options, "cursor": None})


def scopes_by_prefix(true: Sabotage, selection: Selection, **options: Any) -> Page:
    page: Page = true(selection.also(scope=None), **options)
    root = selection.scope or ""
    return replace(page, memories=tuple(each for each in page if each.scope.startswith(root)))


def everybody_is_the_owner(true: Sabotage, *_arguments: Any) -> Any:
    return true.__self__  # type: ignore[attr-defined]


def agents_write_as_the_owner(true: Sabotage, *arguments: Any) -> Any:
    view = true(*arguments)
    view.memories.remember = true.__self__.memories.remember  # type: ignore[attr-defined]
    return view


def agents_read_the_log(true: Sabotage, *arguments: Any) -> Any:
    view = true(*arguments)
    view.changes = true.__self__.changes  # type: ignore[attr-defined]
    return view


def ignores_not(true: Sabotage, selection: Selection, **options: Any) -> Any:
    negated = isinstance(selection.filter, Not)
    return true(selection.also(filter=ALWAYS) if negated else selection, **options)


def reversed_keys(true: Sabotage, ids: Any) -> Any:
    return true(ids)[::-1]


def keys_of_all(true: Sabotage, selection: Selection) -> Any:
    return true(selection.also(filter=ALWAYS))


def nothing_is_gone(true: Sabotage, after: int, **options: Any) -> Any:
    changes = true(after, **options)
    return changes._replace(gone=changes.gone[:0])


def stamps_by_number(true: Sabotage, number: int) -> Any:
    return true(number) and f"change {number}"


def links_of_all_types(true: Sabotage, keys: Any, **options: Any) -> Any:
    return true(keys, **{**options, "types": None})


def leases_nothing(true: Sabotage, embedder: str, **options: Any) -> Any:
    return true(embedder, **{**options, "lease_s": 1e-9})


def swaps_ends(true: Sabotage, *arguments: Any, **options: Any) -> Any:
    links = true(*arguments, **options)
    return replace(links, from_keys=links.to_keys, to_keys=links.from_keys)


def takes_nothing_for_stale(true: Sabotage, run: Any, changes: Any, **options: Any) -> Any:
    return true(run, [replace(each, seen=None) for each in changes], **options)


def lets_anybody_in(true: Sabotage, workspace: str, **_options: Any) -> None:
    for lock in true.__self__.locks():  # type: ignore[attr-defined]
        true(workspace, owner=lock.owner)


def undoes_the_rest(true: Sabotage, run_id: str, **_options: Any) -> Any:
    return true(run_id, keep_later=True)


def derives_nothing(_true: Sabotage, _ids: Any) -> list[str]:
    return []


def last_first(true: Sabotage, **options: Any) -> Any:
    return true(**options)[::-1]


SABOTAGES = [
    ("memories", "remember", without_tags, "what is remembered is got back equal"),
    ("memories", "remember_many", one_by_one, "many memories are remembered whole"),
    ("memories", "get", shows_private, "private sections are shown to no one"),
    ("memories", "forget", forgets_nothing, "what is forgotten is shown by no read"),
    ("memories", "update", ignores_version, "a write of a stale version is refused"),
    ("memories", "history", only_the_last, "the history holds every version"),
    ("memories", "get", ignores_as_of, "the history holds every version"),
    ("memories", "clean_up", cleans_nothing, "what has expired is shown by no read"),
    ("memories", "remember", ignores_dedup, "the same content is met again"),
    ("links", "of", shows_closed_links, "between two memories one link of a type"),
    ("vectors", "put", loses_the_sign_of_zero, "a vector is kept to the last bit"),
    ("events", "record", does_nothing, "a recorded recall counts as an access"),
    ("sessions", "add_turns", backwards, "the turns of a session are memories"),
    ("identities", "resolve", exact_names_alone, "an alias means one identity"),
    ("store", "transaction", no_transaction, "a transaction is kept whole"),
    ("changes", "since", leaves_out_forgetting, "change numbers start at 1"),
    ("memories", "purge", only_hides, "what is purged is gone from every table"),
    ("loader", "load", loses_links, "what was exported loads into an empty store"),
    ("loader", "load", always_goes_on, "an import with refused rows writes nothing"),
    ("memories", "select", first_page_again, "pages that follow one another"),
    ("memories", "select", scopes_by_prefix, "a scope holds itself"),
    ("store", "as_agent", everybody_is_the_owner, "an agent is shown its own scope"),
    ("store", "as_agent", agents_write_as_the_owner, "an agent writes in its own scope"),
    ("store", "as_agent", agents_read_the_log, "what is the owner's alone"),
    ("grants", "revoke", does_nothing, "a grant reaches its scope"),
    ("memories", "select", ignores_not, "a filter holds in the store"),
    ("corpus", "find", reversed_keys, "a memory keeps its key for life"),
    ("corpus", "keys", keys_of_all, "what a selection holds is the same by key"),
    ("corpus", "text_changes", nothing_is_gone, "who follows the changes of the corpus"),
    ("corpus", "stamp", stamps_by_number, "a stamp tells the history up to a change"),
    ("corpus", "links", links_of_all_types, "links and turns by key"),
    ("embedding_queue", "claim", leases_nothing, "what lacks a vector waits"),
    ("dreams", "links", swaps_ends, "a dream reads the memories of one workspace"),
    ("dreams", "apply", takes_nothing_for_stale, "a dream is carried out in order"),
    ("dreams", "release_lock", lets_anybody_in, "of a workspace one dreams at a time"),
    ("dreams", "undo", undoes_the_rest, "an undo puts back all that a dream did"),
    ("memories", "derived", derives_nothing, "what dreams derived from a memory is forgotten"),
    ("injections", "take", last_first, "what waits to be put before an agent comes out once"),
]


@pytest.mark.parametrize(("room", "method", "sabotage", "sentence"), SABOTAGES)
def test_a_sabotaged_store_is_told_which_law_it_breaks(
    room: str, method: str, sabotage: Sabotage, sentence: str
) -> None:
    with pytest.raises(ConformanceError) as caught:
        check_store(sabotaged(room, method, sabotage))

    assert caught.value.law.startswith(sentence)
    assert (
        str(caught.value) == f"this law is broken: {caught.value.law}. Instead, {caught.value.seen}"
    )
    assert isinstance(caught.value, EngramError)
    assert isinstance(caught.value, AssertionError)


def test_every_law_has_a_sabotage_that_breaks_it() -> None:
    sentences = {sentence for *_, sentence in SABOTAGES}
    assert [
        each.sentence for each in STORE_LAWS if not each.sentence.startswith(tuple(sentences))
    ] == []


def test_what_was_seen_is_said_in_short() -> None:
    with pytest.raises(ConformanceError, match="tags of a new memory is") as caught:
        check_store(sabotaged("memories", "remember", without_tags))
    assert len(str(caught.value)) < 600

    def fails(_true: Sabotage, *_arguments: Any) -> None:
        raise RuntimeError("no such room")

    with pytest.raises(ConformanceError, match="RuntimeError was raised: no such room"):
        check_store(sabotaged("links", "put", fails))


@given(memory_drafts())
def test_a_draft_is_remembered_as_it_was_given(draft: dict[str, Any]) -> None:
    store = in_memory()
    memory = store.memories.remember(draft)
    store.close()

    assert draft.keys() <= set(DRAFT_FIELDS)
    kept = {name: getattr(memory, name) for name in draft}
    if "metadata" in draft:
        assert orjson.dumps(kept.pop("metadata")) == orjson.dumps(draft["metadata"])
    for name, value in kept.items():
        assert value == (tuple(draft["tags"]) if name == "tags" else draft[name])


@given(st.lists(memory_drafts(), max_size=5), st.lists(filters(), min_size=1, max_size=5))
def test_a_drawn_filter_finds_what_it_matches(
    drafts: list[dict[str, Any]], given_filters: list[dict[str, Any]]
) -> None:
    store = in_memory()
    store.memories.remember_many(drafts)
    everything = Selection(archived=True)
    memories = list(store.memories.select(everything))
    assert len(memories) == len(drafts)
    for each in given_filters:
        chosen = parse_filter(each)
        found = list(store.memories.select(everything.also(filter=chosen)))
        assert found == [memory for memory in memories if matches(chosen, memory)]
    store.close()


def test_hypothesis_is_needed_by_the_strategies_alone() -> None:
    program = """
import sys
sys.modules["hypothesis"] = None
from engram_lab.core.errors import MissingDependencyError
from engram_lab.testing import check_store
try:
    from engram_lab.testing import filters
except MissingDependencyError as error:
    print(error.extra, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("testing ")
    assert 'pip install ".[testing]"' in done.stdout


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = testing.nothing
