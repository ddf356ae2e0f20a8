"""What a notebook shows of a noun: escaped, bounded, without colours of its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import Dataset, Engine
from engram_lab.core.markup import MOST_CHARS, MOST_ROWS, note, table
from engram_lab.evaluation import Suite, load_system, run_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.evaluation import RunFolder

EVIL = "<script>alert('x')</script> & \"tea\""
THINGS = ["tea", "boats", "kettles", "cranes"]
OURS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "b", "br", "small"}


class Reader(HTMLParser):
    """Reads a page as a browser does: its tags, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.open(":memory:") as engine:
        yield engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    dataset = Dataset.from_frames(
        memories=pl.DataFrame({"id": THINGS, "content": [f"Ada has {each}" for each in THINGS]}),
        queries=pl.DataFrame({"id": THINGS, "text": [f"who has {each}?" for each in THINGS]}),
        qrels=pl.DataFrame({"query_id": THINGS, "memory_id": THINGS, "relevance": [1] * 4}),
        id=EVIL,
    )
    suite = Suite(id="small", measures=("recall_any@1", "RR"), depth=5, resamples=50)
    out = tmp_path_factory.mktemp("run") / "<b>"
    systems = [load_system("bm25"), load_system("random")]
    return run_suite(suite, systems, out=out, dataset=dataset, guards=False, command=EVIL)


def pages_of(engine: Engine, folder: RunFolder) -> dict[str, str]:
    memory = engine.remember(EVIL, tags=["<i>"], metadata={"<u>": EVIL}, source=EVIL)
    nouns: dict[str, Any] = {
        "memory": memory,
        "hits": engine.recall(EVIL, explain=True),
        "dream": engine.dream(dry_run=True),
        "engine": engine,
        "run": folder,
        "record": folder.record,
    }
    return {name: noun._repr_html_() for name, noun in nouns.items()}


def test_all_that_is_shown_is_escaped(engine: Engine, folder: RunFolder) -> None:
    for name, page in pages_of(engine, folder).items():
        assert read(page).tags <= OURS, name
        assert read(page).attributes <= {"style"}, name
    assert EVIL in read(pages_of(engine, folder)["memory"]).text
    assert EVIL in read(pages_of(engine, folder)["hits"]).text
    assert EVIL in read(pages_of(engine, folder)["record"]).text
    assert "<b>" in read(pages_of(engine, folder)["run"]).text


def test_no_page_has_a_colour_of_its_own(engine: Engine, folder: RunFolder) -> None:
    for name, page in pages_of(engine, folder).items():
        assert not re.search(r"color|background|#[0-9a-f]{3,6}\b", page.replace("&#x", "")), name


def test_a_memory_shows_its_text_and_what_is_not_as_usual(engine: Engine) -> None:
    plain = read(engine.remember("Ada drinks tea")._repr_html_()).text
    assert "Ada drinks tea" in plain
    assert not {"pinned", "lifecycle", "importance", "updated_at"} & set(plain.split())
    assert "importance" not in plain
    memory = engine.remember("Ben", importance=0.0, pinned=True, tags=["taste"])
    text = read(engine.update(memory.id, metadata={"k": 1})._repr_html_()).text
    for said in ("importance0.0", "pinnedTrue", "tags#taste", 'metadata{"k": 1}', "version2"):
        assert said in text, said
    assert "content_hash" not in text


def test_an_engine_shows_where_it_is_and_what_it_holds(engine: Engine, tmp_path: Path) -> None:
    engine.remember("Ada drinks tea")
    engine.remember("Ben sails")
    text = read(engine._repr_html_()).text
    assert "Engine :memory:" in text
    assert "memories2" in text
    assert repr(engine) == "Engine(':memory:', open)"
    with Engine.open(tmp_path / "notes.db") as other:
        assert repr(other).endswith("notes.db', open)")
        agent = other.as_agent("ada", "global/user:ada")
    assert repr(other).endswith("notes.db', closed)")
    assert repr(agent).endswith("notes.db', closed)")
    assert "notes.db is closed" in read(other._repr_html_()).text
    with Engine.open(tmp_path / "notes.db", read_only=True) as reader:
        assert "notes.db, read only" in read(reader._repr_html_()).text
        assert repr(reader).endswith("notes.db', open, read only)")


def test_an_agent_s_engine_shows_what_the_agent_may_see(engine: Engine) -> None:
    engine.remember("for all")
    engine.remember("of another", scope="global/org:b")
    agent = engine.as_agent("coder", "global/org:a")
    assert "memories1" in read(agent._repr_html_()).text
    assert agent.path == engine.path


def test_a_run_shows_each_measure_of_each_system_with_its_interval(folder: RunFolder) -> None:
    text = read(folder._repr_html_()).text
    means = {each["name"]: each["measures"] for each in folder.results["systems"]}
    for name, measures in means.items():
        assert name in text
        for measure, found in measures.items():
            assert measure in text
            assert f"{found['mean']:.3f} [{found['ci'][0]:.3f}, {found['ci'][1]:.3f}]" in text
    assert means["bm25"]["RR"]["mean"] == 1.0


def test_a_record_is_the_dict_it_was_and_shows_what_was_done(folder: RunFolder) -> None:
    assert folder.record == folder.results["record"]
    text = read(folder.record._repr_html_()).text
    assert folder.record["id"][:12] in text
    assert "systemsbm25, random" in text
    assert f"began{folder.record['began_at']}" in text


def test_many_hits_and_long_texts_are_cut_with_a_word_about_it(engine: Engine) -> None:
    engine.remember_many({"content": f"tea {number}"} for number in range(MOST_ROWS + 7))
    hits = engine.recall("tea", k=MOST_ROWS + 7)
    page = hits._repr_html_()
    assert page.count("<tr>") == MOST_ROWS + 1
    assert "and 7 more" in read(page).text
    long = engine.remember("coffee " * (MOST_CHARS // 2))
    for each in (long, engine.recall("coffee", k=1, explain=True)):
        assert MOST_CHARS < len(each._repr_html_()) < 8 * MOST_CHARS
        assert "…" in each._repr_html_()


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=60))
def test_a_table_holds_its_text_and_no_tag_of_it(rows: list[list[str]]) -> None:
    found = read(table("caption", rows, head=("one", "two")))
    assert found.tags <= OURS
    cells = "".join("".join(row) for row in rows[:MOST_ROWS])
    more = f"and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
    assert _lines(found.text) == _lines("captiononetwo" + cells + more)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.text(min_size=MOST_CHARS + 1, max_size=MOST_CHARS + 50))
def test_a_text_that_is_too_long_ends_in_dots(text: str) -> None:
    assert note(text).endswith("…</p>")
    assert len(read(note(text)).text) == MOST_CHARS
