from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pytest

from engram_lab.core.schemas import MEMORIES
from engram_lab.core.types import Memory, RecalledMemory
from engram_lab.retrieval import Arm, Explanation, Hit, Hits

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS = ["rank", "score", *MEMORIES.names]


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
    arm = Arm(name="keyword", rank=rank, score=score)
    why = Explanation(arms=(arm,), score=score)
    return Hit(rank=rank, score=score, memory=memory(rank, **fields), explanation=why)


@pytest.fixture
def hits() -> Hits:
    return Hits(
        [hit(1, tags=("a", "b"), metadata={"n": [1, None]}), hit(2), hit(3)],
        query="tea",
        strategy="keyword",
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
    assert (some.query, some.strategy) == ("tea", "keyword")


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
    assert repr(hits[:2]) == "Hits(2 for 'tea', keyword)\n  1. 1  memory 1\n  2. 0.5  memory 2"
    assert repr(hits[:0]) == "Hits(0 for 'tea', keyword)"


def test_an_explanation_prints_as_a_sum_of_what_was_said(hits: Hits) -> None:
    assert str(hits[1].explanation) == "0.5 = keyword #2 (0.5)"
    arms = (Arm(name="keyword", rank=1, score=2.0), Arm(name="dense", rank=7, score=0.25))
    assert str(Explanation(arms=arms, score=0.0325)) == "0.0325 = keyword #1 (2), dense #7 (0.25)"


def test_html_has_a_row_for_each_hit(hits: Hits) -> None:
    page = hits._repr_html_()
    assert page.count("<tr>") == 1 + len(hits)
    assert "3 hits for <b>tea</b> (keyword)" in page
    assert "<td>1</td><td>1</td><td style='text-align:left'>memory 1</td><td>a, b</td>" in page


def test_html_shows_what_users_wrote_and_never_runs_it() -> None:
    evil = "<script>alert('&')</script>"
    arm = Arm(name=evil, rank=1, score=1.0)
    found = Hit(
        rank=1,
        score=1.0,
        memory=memory(1, content=evil, tags=(evil,)),
        explanation=Explanation(arms=(arm,), score=1.0),
    )
    page = Hits([found], query=evil, strategy=evil)._repr_html_()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") == 5
