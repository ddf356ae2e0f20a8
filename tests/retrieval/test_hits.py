from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pytest

from engram_lab.core.schemas import MEMORIES
from engram_lab.core.types import Memory, RecalledMemory
from engram_lab.retrieval import Arm, Explanation, Hit, Hits, Step, Suggestion
from engram_lab.retrieval.rerank import Factor
from engram_lab.retrieval.showing import page_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS = ["rank", "score", *MEMORIES.names]
TEE = Suggestion(term="tee", replacement="tea", distance=1, frequency=3)
ARMS = (
    Arm(name="keyword", rank=1, score=2.0, contribution=0.3),
    Arm(name="semantic", rank=None, score=None, contribution=0.05),
)
HALVED = Step(
    name="priors", how="product", parts=(Factor("relevance", 0.35), Factor("recency", 0.5))
)


def memory(number: int, **fields: Any) -> Memory:
    known: dict[str, Any] = {
        "id": f"01890a5d-ac96-774b-bcce-{number:012x}",
        "content": f"memory {number}",
        "created_at": NOON,
        "updated_at": NOON,
        "content_hash": "0" * 64,
    }
    return Memory(**known | fields)


def hit(rank: int, **fields: Any) -> Hit:
    score = 1 / rank
    arm = Arm(name="keyword", rank=rank, score=score, contribution=score)
    why = Explanation(arms=(arm,))
    return Hit(rank=rank, score=score, memory=memory(rank, **fields), explanation=why)


@pytest.fixture
def hits() -> Hits:
    return Hits(
        [hit(1, tags=("a", "b"), metadata={"n": [1, None]}), hit(2), hit(3)],
        query="tea",
        strategy="keyword",
        reason="as told",
        suggestions=[TEE],
        embedder="hashing/1/1024",
        left_out=2,
    )


def test_hits_are_a_sequence(hits: Hits) -> None:
    first, second, third = hits
    assert (len(hits), hits[0], hits[-1]) == (3, first, third)
    assert second in hits
    assert hits.index(second) == 1
    assert list(reversed(hits)) == [third, second, first]
    with pytest.raises(IndexError):
        hits[3]


@pytest.mark.parametrize("part", [slice(2), slice(1, None), slice(None, None, -1), slice(7, 9)])
def test_a_slice_of_hits_are_hits_of_the_same_question(hits: Hits, part: slice) -> None:
    some = hits[part]
    assert list(some) == list(hits)[part]
    assert (some.query, some.strategy, some.reason) == ("tea", "keyword", "as told")
    assert (some.suggestions, some.embedder, some.left_out) == ((TEE,), "hashing/1/1024", 2)


def test_no_hits_are_false(hits: Hits) -> None:
    assert bool(hits) is True
    assert bool(hits[:0]) is False


def test_the_id_of_a_hit_is_its_memory_s(hits: Hits) -> None:
    assert [each.id for each in hits] == [each.memory.id for each in hits]


def test_hits_are_kept_as_an_event_keeps_them(hits: Hits) -> None:
    assert hits[:2].recalled() == (
        RecalledMemory(memory_id=hits[0].id, rank=1, score=1.0),
        RecalledMemory(memory_id=hits[1].id, rank=2, score=0.5),
    )


def test_the_table_has_rank_score_and_every_field(hits: Hits) -> None:
    table = hits.to_arrow()
    assert table.schema.names == COLUMNS
    assert pa.schema(list(table.schema)[2:]).equals(MEMORIES)
    first, *_ = table.to_pylist()
    wanted = hits[0].memory.to_dict() | {"rank": 1, "score": 1.0}
    assert wanted == first | {"metadata": orjson.loads(first["metadata"])}


def test_the_frame_is_that_table(hits: Hits) -> None:
    frame = hits.to_polars()
    assert frame.columns == COLUMNS
    assert frame["rank"].to_list() == [1, 2, 3]
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert frame.schema["tags"] == pl.List(pl.String)
    assert frame["tags"][0].to_list() == ["a", "b"]


def test_the_table_of_no_hits_has_the_same_columns(hits: Hits) -> None:
    assert hits[:0].to_arrow().schema.equals(hits.to_arrow().schema)
    assert hits[:0].to_polars().schema == hits.to_polars().schema
    assert hits[:0].to_polars().height == 0


def test_hits_print_as_a_list_of_what_was_found(hits: Hits) -> None:
    shown = "Hits(2 for 'tea', keyword)\n  tee → tea?\n  1. 1  memory 1\n  2. 0.5  memory 2"
    assert repr(hits[:2]) == shown
    assert repr(Hits([], query="tea", strategy="keyword")) == "Hits(0 for 'tea', keyword)"


def test_a_hit_in_short_has_the_first_line_of_its_text() -> None:
    long = "word " * 40
    texts = ["first\nsecond", "  padded  \nmore", long, "x" * 80]
    hits = Hits(
        [hit(rank, content=text, tags=("a",)) for rank, text in enumerate(texts, 1)],
        query="tea",
        strategy="keyword",
    )
    short = hits.compact()
    titles = ["first", "padded", f"{long[:79].rstrip()}…", "x" * 80]
    assert [each.title for each in short] == titles
    assert [each.id for each in short] == [each.id for each in hits]
    assert [each.score for each in short] == [each.score for each in hits]
    assert {(each.created_at, each.tags) for each in short} == {(NOON, ("a",))}


def test_an_explanation_prints_as_a_sum_of_what_was_said(hits: Hits) -> None:
    assert str(hits[1].explanation) == "0.5 = 0.5 keyword (#2: 0.5)"
    assert str(Explanation(arms=ARMS)) == "0.35 = 0.3 keyword (#1: 2) + 0.05 semantic (not found)"
    assert str(Explanation(arms=ARMS, steps=(HALVED,))) == (
        "0.175 = 0.3 keyword (#1: 2) + 0.05 semantic (not found); "
        "then priors: 0.35 relevance \N{MULTIPLICATION SIGN} 0.5 recency"
    )


def test_the_score_is_that_of_the_last_step_or_else_the_sum_of_the_arms() -> None:
    assert Explanation(arms=ARMS).score == 0.3 + 0.05
    assert Explanation(arms=ARMS, steps=(HALVED,)).score == 0.35 * 0.5
    parts = (Factor("a", 0.1), Factor("b", 0.2), Factor("c", 0.3))
    summed = Step(name="rerank", how="sum", parts=parts)
    assert Explanation(arms=ARMS, steps=(HALVED, summed)).score == 0.1 + 0.2 + 0.3
    assert str(summed) == "0.1 a + 0.2 b + 0.3 c"
    assert Explanation(arms=()).score == 0.0


def test_a_notebook_shows_them_as_a_page(hits: Hits) -> None:
    assert hits._repr_html_() == page_of(hits)
    assert hits._repr_html_().count("<tr>") == 1 + len(hits)
