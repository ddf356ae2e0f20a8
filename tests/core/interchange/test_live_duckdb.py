"""Tables that DuckDB queries live: what is written, or expires, shows in the next query."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from engram_lab.config import InterchangeSettings
from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.interchange import Frames, LiveDuckDB
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

COUNT = "SELECT count(*) FROM memories"


def live(store: SqliteStore, **chosen: Any) -> LiveDuckDB:
    return Frames(store, InterchangeSettings()).duckdb(**chosen)


@pytest.fixture
def database(full: SqliteStore) -> Iterator[LiveDuckDB]:
    with live(full) as connection:
        yield connection


def count(database: LiveDuckDB, query: str = COUNT) -> int:
    ((found,),) = database.sql(query).fetchall()
    return int(found)


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_table_is_there_with_its_rows(
    full: SqliteStore, database: LiveDuckDB, table: str
) -> None:
    wanted = full.tables.scan(table).read_all()
    relation = database.sql(f"SELECT * FROM {table}")
    assert wanted.schema.names == relation.columns
    assert wanted.num_rows == relation.pl().height


def test_tables_are_joined(database: LiveDuckDB) -> None:
    rows = database.sql(
        "SELECT a.content, l.type, b.content FROM links AS l "
        "JOIN memories AS a ON a.id = l.from_id JOIN memories AS b ON b.id = l.to_id "
        "WHERE l.valid_to IS NULL"
    ).fetchall()
    assert rows == [("Ada drinks tea ", "related_to", "The cup is blue")]


def test_links_are_followed_by_a_recursive_query(store: SqliteStore) -> None:
    ids = store.memories.remember_many({"content": str(number)} for number in range(5)).ids
    for here, there in pairwise(ids):
        store.links.put(here, there)
    with live(store) as database:
        rows = database.execute(
            "WITH RECURSIVE reached(id, steps) AS (SELECT $start, 0 UNION "
            "SELECT l.to_id, r.steps + 1 FROM reached AS r JOIN links AS l ON l.from_id = r.id) "
            "SELECT m.content, r.steps FROM reached AS r JOIN memories AS m USING (id) ORDER BY 2",
            {"start": ids[1]},
        ).fetchall()
    assert rows == [("1", 0), ("2", 1), ("3", 2), ("4", 3)]


def test_a_write_shows_in_the_next_query(full: SqliteStore, database: LiveDuckDB) -> None:
    assert count(database) == 3
    memory = full.memories.remember({"content": "new"})
    assert count(database) == 4
    full.memories.update(memory.id, {"content": "changed"})
    assert count(database, f"{COUNT} WHERE content = 'changed'") == 1
    full.memories.forget(memory.id)
    assert count(database) == 3


def test_a_write_of_another_process_shows_too(
    open_store: Callable[..., SqliteStore], tmp_path: Path
) -> None:
    store, other = (open_store(tmp_path / "store.db") for _ in range(2))
    with live(store) as database:
        assert count(database) == 0
        other.memories.remember({"content": "new"})
        assert count(database) == 1


def test_what_expires_disappears_though_nobody_writes(
    store: SqliteStore, clock: ManualClock
) -> None:
    one = store.memories.remember({"content": "for today", "tier": "daily"})
    store.links.put(store.memories.remember({"content": "for ever"}).id, one.id)
    with live(store) as database:
        assert (count(database), count(database, "SELECT count(*) FROM links")) == (2, 1)
        clock.advance(hours=24)
        assert (count(database), count(database, "SELECT count(*) FROM links")) == (1, 0)


def test_a_transaction_that_was_undone_leaves_no_trace(store: SqliteStore) -> None:
    with live(store) as database:
        with suppress(KeyError), store.transaction():
            store.memories.remember({"content": "undone"})
            assert count(database) == 1
            raise KeyError
        assert count(database) == 0


@pytest.mark.parametrize(
    "name", ["memories", "MEMORIES", '"memories"', "main.memories", "(FROM memories)", "memories m"]
)
def test_a_table_is_known_however_it_is_written(
    full: SqliteStore, database: LiveDuckDB, name: str
) -> None:
    assert count(database, f"SELECT count(*) FROM {name}") == 3
    full.memories.remember({"content": "new"})
    assert count(database, f"SELECT count(*) FROM {name}") == 4


def test_views_stay_up_to_date(full: SqliteStore, database: LiveDuckDB) -> None:
    database.execute("CREATE VIEW dear AS SELECT * FROM memories WHERE importance > 0.8")
    assert count(database, "SELECT count(*) FROM dear") == 1
    full.memories.remember({"content": "new", "importance": 1})
    assert count(database, "SELECT count(*) FROM dear") == 2


def test_a_relation_of_before_can_still_be_read(full: SqliteStore, database: LiveDuckDB) -> None:
    before = database.sql("SELECT content FROM memories WHERE workspace = 'kitchen'")
    full.memories.remember({"content": "new"})
    assert count(database) == 4
    assert before.fetchall() == [("The cup is blue",)]


def test_parameters_are_bound_not_written(database: LiveDuckDB) -> None:
    query = "SELECT content FROM memories WHERE workspace = ?"
    assert database.sql(query, params=["kitchen"]).fetchall() == [("The cup is blue",)]
    assert database.execute(query, ["kitchen"]).fetchall() == [("The cup is blue",)]
    assert database.execute(query, ["' OR 1 = 1 --"]).fetchall() == []
    named = "SELECT content FROM memories WHERE workspace = $name AND importance >= $least"
    assert database.execute(named, {"name": "kitchen", "least": 0.5}).fetchall() == [
        ("The cup is blue",)
    ]


def test_the_answer_comes_as_a_frame_with_times_in_utc(
    full: SqliteStore, database: LiveDuckDB
) -> None:
    frame = database.sql("SELECT id, created_at, tags FROM memories ORDER BY id").pl()
    wanted = pl.DataFrame(full.tables.scan("memories").read_all()).select(frame.columns)
    assert wanted.rows() == frame.rows()
    ((created,),) = database.sql("SELECT min(created_at) FROM memories").fetchall()
    assert created.isoformat() == "2026-01-01T12:00:00+00:00"


@pytest.mark.parametrize("run", ["sql", "execute"])
def test_an_unknown_table_is_duckdb_s_own_error(database: LiveDuckDB, run: str) -> None:
    with pytest.raises(duckdb.CatalogException, match="Table with name memory does not exist"):
        getattr(database, run)("SELECT * FROM memory")


def test_bad_syntax_is_duckdb_s_own_error(database: LiveDuckDB) -> None:
    with pytest.raises(duckdb.ParserException):
        database.sql("SELEC * FROM memories")


def test_what_a_query_defines_itself_goes_before_the_table(database: LiveDuckDB) -> None:
    assert count(database, "WITH memories AS (SELECT 1) SELECT count(*) FROM memories") == 1


def test_a_selection_holds_for_every_query(full: SqliteStore) -> None:
    with live(full, workspace="kitchen") as database:
        assert (count(database), count(database, "SELECT count(*) FROM turns")) == (1, 0)
    with live(full, filter={"tags": {"contains": "taste"}}) as database:
        assert count(database) == 1
        with pytest.raises(InvalidInputError, match="choose among memories, not links"):
            database.sql("FROM links")


def test_private_sections_stay_private(full: SqliteStore, database: LiveDuckDB) -> None:
    assert count(database, f"{COUNT} WHERE contains(content, 'absinthe')") == 0
    with live(full, private=True) as owner:
        assert count(owner, f"{COUNT} WHERE contains(content, 'absinthe')") == 1
    cook = full.as_agent("cook", "global")
    with live(cook, private=True) as agent, pytest.raises(AccessDeniedError):
        agent.sql(COUNT)


def test_an_agent_queries_its_own(full: SqliteStore) -> None:
    with live(full.as_agent("cook", "global/org:b")) as database:
        assert (count(database), count(database, "SELECT count(*) FROM links")) == (2, 0)


def test_frames_of_one_s_own_join_in(full: SqliteStore, database: LiveDuckDB) -> None:
    database.register("judged", pl.DataFrame({"content": ["The cup is blue"], "grade": [3]}))
    rows = database.sql("SELECT grade, workspace FROM judged JOIN memories USING (content)")
    assert rows.fetchall() == [(3, "kitchen")]


def test_closed_it_answers_no_more(full: SqliteStore) -> None:
    with live(full) as database:
        assert count(database) == 3
    with pytest.raises(duckdb.ConnectionException):
        database.sql(COUNT)


def test_a_frame_is_what_a_query_finds(database: LiveDuckDB) -> None:
    found = database.frame(
        "SELECT count(*) AS n FROM memories WHERE content != $c", params={"c": ""}
    )
    assert found is not None
    assert found.rows() == [(count(database),)]
    assert database.frame("CREATE VIEW mine AS SELECT 1 AS n") is None
    assert database.frame("SELECT 2; SELECT n FROM mine").rows() == [(1,)]  # type: ignore[union-attr]


def test_a_frame_of_a_query_that_is_refused_says_why(database: LiveDuckDB) -> None:
    with pytest.raises(duckdb.CatalogException, match="nothing_there"):
        database.frame("SELECT * FROM nothing_there")


def interrupted(database: LiveDuckDB, query: str, *, times: int = 1) -> None:
    """Ask for a frame, and press Ctrl-C soon after, as a terminal would."""
    main = threading.main_thread().ident
    assert main is not None
    over = threading.Event()

    def press() -> None:
        for _ in range(times):
            if over.wait(0.4):
                return
            signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            database.frame(query)
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")
@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupted_query_ends_and_what_was_made_is_there(
    database: LiveDuckDB, *, begun: bool
) -> None:
    database.frame("CREATE TABLE mine AS SELECT 7 AS n")
    if begun:
        database.frame("BEGIN; INSERT INTO mine VALUES (8)")
    interrupted(database, "SELECT count(*) FROM range(9000000) a, range(9000000) b WHERE a > b")
    assert database.sql("SELECT n FROM mine").fetchall() == [(7,)]
    assert count(database) > 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")
def test_a_query_that_does_not_stop_is_left_to_itself(database: LiveDuckDB) -> None:
    going = threading.Event()

    def stubborn(_: int) -> int:
        going.wait(60)
        return 1

    database.create_function("stubborn", stubborn, ["BIGINT"], "BIGINT")
    try:
        interrupted(database, "SELECT stubborn(range) FROM range(3)", times=2)
        assert count(database) > 0
    finally:
        going.set()
