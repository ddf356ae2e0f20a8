"""`engram recall`, `engram suggest` and `engram reindex`: every option, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError
from engram_lab.engine import loading

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

BY_WORDS = ("--strategy", "keyword")


@pytest.fixture
def notes(engram: Engram) -> dict[str, str]:
    return {
        "door": engram.remember("The keeper painted the door blue", "--tag", "paint"),
        "boat": engram.remember("a blue boat\nin the harbour", "--workspace", "yard"),
        "light": engram.remember("lighthouses are white", "--scope", "global/org:yard"),
    }


def ids(answer: Any) -> set[str]:
    return {hit["memory"]["id"] for hit in answer["hits"]}


# recall


@pytest.mark.parametrize("strategy", ["auto", "keyword", "semantic", "hybrid"])
def test_recall_says_which_strategy_it_took(
    engram: Engram, notes: dict[str, str], strategy: str
) -> None:
    answer = engram.json("recall", "blue", "--strategy", strategy)
    assert answer["strategy"] == ("hybrid" if strategy == "auto" else strategy)
    assert answer["embedder"] == (None if strategy == "keyword" else "hashing/1/1024")
    assert ids(answer) == set(notes.values()) - (
        {notes["light"]} if strategy == "keyword" else set()
    )
    assert all({"rank", "score", "memory", "explanation"} == hit.keys() for hit in answer["hits"])


@pytest.mark.parametrize("profile", ["neutral", "by-hand"])
def test_recall_says_which_profile_made_the_order(
    engram: Engram, notes: dict[str, str], profile: str
) -> None:
    assert notes
    answer = engram.json("recall", "blue", "--set", f"retrieval.profile={profile}")
    assert answer["profile"] == profile


def test_recall_takes_the_strategy_from_the_settings(engram: Engram, notes: dict[str, str]) -> None:
    chosen = ("--set", "retrieval.strategy=keyword", "--set", "retrieval.k=1")
    answer = engram.json("recall", "blue", *chosen)
    assert (answer["strategy"], len(answer["hits"])) == ("keyword", 1)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--workspace", "yard"], {"boat"}),
        (["--scope", "global/org:yard"], {"light"}),
        (["--filter", '{"tags": {"contains": "paint"}}'], {"door"}),
        (["--agent", "ada"], {"door", "boat"}),
        (["--agent", "ada", "--scope", "global/org:yard"], {"door", "boat", "light"}),
        (["--agent", "ada", "--scope", "global/org:quay"], {"door", "boat"}),
        (["--as-of", "2000-01-01"], set()),
        (["--token-budget", "7"], {"boat"}),
    ],
)
def test_recall_among_the_chosen_by_both_arms(
    engram: Engram, notes: dict[str, str], options: list[str], wanted: set[str]
) -> None:
    answer = engram.json("recall", "blue boat", *options)
    assert ids(answer) == {notes[name] for name in wanted}
    assert answer["left_out"] == (2 if "--token-budget" in options else 0)


def test_recall_in_the_past_shows_what_was(engram: Engram) -> None:
    memory = engram.json("remember", "blue before")
    engram("update", memory["id"], "--content", "green after")
    answer = engram.json("recall", "blue", "--as-of", memory["created_at"])
    assert [hit["memory"]["content"] for hit in answer["hits"]] == ["blue before"]


def test_recall_in_short_prints_first_lines(engram: Engram, notes: dict[str, str]) -> None:
    printed = engram("recall", "boat", "--compact", *BY_WORDS)
    assert "a blue boat" in printed
    assert "in the harbour" not in printed
    assert notes["boat"] in printed
    (hit,) = engram.json("recall", "boat", "--compact", *BY_WORDS)["hits"]
    assert hit.keys() == {"id", "title", "created_at", "tags", "score"}
    assert (hit["id"], hit["title"]) == (notes["boat"], "a blue boat")


def test_recall_says_what_the_budget_left_out(engram: Engram, notes: dict[str, str]) -> None:
    printed = engram("recall", "blue", "--token-budget", "7", *BY_WORDS)
    assert "1 hit left out by the token budget" in printed
    assert notes["door"] not in printed


def test_recall_offers_what_was_meant_and_does_not_apply_it(
    engram: Engram, notes: dict[str, str]
) -> None:
    printed = engram("recall", "paintde", *BY_WORDS)
    assert "did you mean: paintde → painted" in printed
    assert notes["door"] not in printed
    answer = engram.json("recall", "lighthuoses", *BY_WORDS)
    assert answer["hits"] == []
    (first,) = answer["suggestions"]
    assert first.keys() == {"term", "replacement", "distance", "frequency"}
    assert (first["term"], first["replacement"]) == ("lighthuoses", "lighthouses")


def test_recall_explains_arms_and_words(engram: Engram, notes: dict[str, str]) -> None:
    answer = engram.json("recall", "blue door", "--explain")
    for hit in answer["hits"]:
        why = hit["explanation"]
        assert sum(arm["contribution"] for arm in why["arms"]) == hit["score"]
        assert {"keyword", "semantic"} >= {arm["name"] for arm in why["arms"]}
    assert "**door** **blue**" in answer["hits"][0]["explanation"]["words"]
    assert "hybrid: both arms have something to say" in engram("recall", "blue door", "--explain")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["x", "--strategy", "nonsense"], "allowed are auto, keyword, semantic, hybrid"),
        (["x", "-k", "0"], "give a whole number from 1"),
        (["x", "--token-budget", "0"], "give a whole number from 1"),
        ([""], "the query is empty: say what you look for"),
        ([" "], "the query is empty"),
        (["x" * 10_001], "at most 10000"),
        (["x", "--set", "embedding.model=x"], "there is no embedder 'x': known are clip, cohere"),
        (["x", "--set", "retrieval.fusion=x"], "there is no fusion 'x'"),
        (["x", "--set", "index.kind=x"], "allowed are auto, exact, flat, hnsw, ivf"),
        (["x", "--as-of", "yesterday"], "as_of"),
        (["x", "--agent", "ada", "--scope", "x"], "scope"),
        (
            ["x", "--strategy", "semantic", "--set", "embedding.model=none"],
            "strategy is 'semantic', but embedding.model is 'none'",
        ),
        (
            ["x", "--strategy", "hybrid", "--set", "embedding.model=onnx"],
            "no folder with an ONNX model is set",
        ),
    ],
)
def test_recall_refuses_in_one_sentence(
    engram: Engram, notes: dict[str, str], options: list[str], why: str
) -> None:
    assert why in engram.refused("recall", *options)


# suggest


def test_suggest_offers_known_words(engram: Engram, notes: dict[str, str]) -> None:
    assert (
        engram("suggest", "the bleu harbuor")
        == "bleu → blue (2 memories)\nharbuor → harbour (1 memory)\n"
    )
    assert engram("suggest", "harbuor", "--workspace", "default") == "nothing to suggest\n"
    assert engram("suggest", "lighthuoses", "--scope", "global/org:yard") == (
        "lighthuoses → lighthouses (1 memory)\n"
    )
    assert engram("suggest", "blue") == "nothing to suggest\n"
    (found,) = engram.json("suggest", "harbuor")
    assert found == {"term": "harbuor", "replacement": "harbour", "distance": 1, "frequency": 1}
    assert engram.json("suggest", "blue") == []
    assert "the query is empty" in engram.refused("suggest", "")


# reindex


def test_reindex_embeds_what_waits_and_makes_the_files(
    engram: Engram, notes: dict[str, str]
) -> None:
    engram("remember", "no vector yet", "--set", "embedding.model=none")
    assert not Path("notes.db.index").exists()
    printed = engram("reindex")
    assert "4 memories indexed" in printed
    assert "4 vectors" in printed
    assert {file.suffix for file in Path("notes.db.index").iterdir()} == {
        *(".index", ".state", ".base")
    }
    report = engram.json("reindex")
    assert report["memories"] == 4
    assert report["vectors"] == {"pending": 0, "processing": 0, "complete": 4, "failed": 0}
    assert engram.json("recall", "vector", "--strategy", "semantic")["hits"]


def test_reindex_without_an_embedder_makes_the_index_of_words(
    engram: Engram, notes: dict[str, str]
) -> None:
    assert engram("reindex", "--set", "embedding.model=none") == "3 memories indexed\n"
    assert engram.json("reindex", "--set", "embedding.model=none")["vectors"] is None
    assert [file.suffix for file in Path("notes.db.index").iterdir()] == [".index"]


def test_reindex_of_nothing_is_no_mistake(engram: Engram) -> None:
    engram("forget", engram.remember("gone"))
    assert "no memory indexed" in engram("reindex")


class Failing:
    """An embedder that cannot, for good or for now."""

    fingerprint, dim = "failing", 4

    def __init__(self, error: EmbedderError) -> None:
        self.error = error

    def embed(self, texts: Any, *, kind: str) -> Any:
        if kind == "document":
            raise self.error
        return np.ones((len(texts), 4), np.float32)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (EmbedderError("no more tea"), "3 memories could not be embedded: no more tea"),
        (
            EmbedderError("it is away", retryable=True),
            "3 memories wait to be embedded, so run it again in a while: it is away",
        ),
    ],
)
def test_reindex_says_what_could_not_be_embedded(
    engram: Engram,
    notes: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    error: EmbedderError,
    why: str,
    options: list[str],
) -> None:
    monkeypatch.setattr(loading, "resolve", lambda *_: Failing(error))
    ran = engram.run("reindex", *options)
    assert (ran.code, ran.err) == (2, f"engram: {why}\n")
    if options:
        assert ran.json["vectors"]["complete"] == 0
    else:
        assert "3 memories indexed" in ran.out
    # What was indexed by words is found all the same.
    assert ids(engram.json("recall", "boat")) == {notes["boat"]}


def test_reindex_says_why_an_embedder_cannot_be_loaded(
    engram: Engram, notes: dict[str, str]
) -> None:
    why = engram.refused(
        "reindex", "--set", "embedding.model=onnx", "--set", "embedding.path=no-such-folder"
    )
    assert "no-such-folder" in why


def test_a_memory_is_remembered_though_it_cannot_be_embedded(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "resolve", lambda *_: Failing(EmbedderError("no more tea")))
    ran = engram.run("remember", "tea")
    assert ran.code == 0
    assert engram.json("get", ran.out.strip())["content"] == "tea"
    assert ids(engram.json("recall", "tea", *BY_WORDS)) == {ran.out.strip()}
