"""An embedder of one's own that is none, or changes its mind, loses nothing and hangs nobody."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Plain:
    """Makes the same vector of every text."""

    fingerprint: Any = "plain"
    dim: Any = 4

    def embed(self, texts: Sequence[str], *, kind: str) -> Any:
        assert kind in {"query", "document"}
        return np.full((len(texts), 4), 0.5, np.float32)


def made(**attributes: Any) -> Plain:
    embedder = Plain()
    for name, value in attributes.items():
        setattr(embedder, name, value)
    return embedder


class Drifting(Plain):
    """Has another name each time that it is asked."""

    def __init__(self) -> None:
        self._names = count()

    @property
    def fingerprint(self) -> str:
        return f"name {next(self._names)}"


class Nameless:
    """Knows its dimension alone."""

    dim = 4


@pytest.mark.parametrize(
    ("embedder", "why"),
    [
        (made(fingerprint=None), "no embedder"),
        (made(fingerprint=""), "no embedder"),
        (made(fingerprint="a\ud800"), "no embedder"),
        (made(fingerprint="x" * 5000), "no embedder"),
        (Nameless(), "no embedder .AttributeError"),
        (object(), "no embedder .AttributeError"),
        (made(dim=None), "the dimension"),
        (made(dim="4"), "the dimension"),
        (made(dim=4.0), "the dimension"),
        (made(dim=True), "the dimension"),
        (made(dim=0), "the dimension"),
        (made(dim=-1), "the dimension"),
    ],
)
def test_what_is_no_embedder_is_refused_and_words_are_found(
    opened: Callable[..., Any], tmp_path: Any, embedder: Any, why: str
) -> None:
    with opened(tmp_path / "memory.db", embedder=embedder) as engine:
        memory = engine.remember("tea")
        for strategy in ("semantic", "hybrid"):
            with pytest.raises(EmbedderError, match=why):
                engine.recall("tea", strategy=strategy)
        with pytest.raises(EmbedderError, match=why):
            engine.embed()
        with pytest.raises(EmbedderError, match=why):
            engine.reindex()
        hits = engine.recall("tea")
        assert [hit.id for hit in hits] == [memory.id]
        assert "no embedder" in hits.reason or "dimension" in hits.reason


def test_a_dimension_that_numpy_counted_will_do(opened: Callable[..., Any], tmp_path: Any) -> None:
    for _ in range(2):
        with opened(tmp_path / "memory.db", embedder=made(dim=np.int64(4))) as engine:
            engine.remember("tea")
            engine.reindex()
            assert engine.recall("tea", strategy="semantic")
    assert list((tmp_path / "memory.db.index").glob("*.state"))


def test_an_embedder_whose_name_drifts_does_not_embed_the_same_memories_for_ever(
    opened: Callable[..., Any], tmp_path: Any
) -> None:
    with opened(tmp_path / "memory.db", embedder=Drifting()) as engine:
        memory = engine.remember("tea")  # it would never return
        with pytest.raises(EmbedderError, match="a fingerprint must stay as it is"):
            engine.embed()
        assert [hit.id for hit in engine.recall("tea", strategy="keyword")] == [memory.id]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_complex_numbers_are_no_vectors(opened: Callable[..., Any]) -> None:
    embedder = made(embed=lambda texts, *, kind: np.ones((len(texts), 4), complex))
    with opened(embedder=embedder) as engine:
        engine.remember("tea")
        assert engine.store.embedding_queue.last_error("plain") is not None
        with pytest.raises(EmbedderError, match="complex numbers"):
            engine.recall("tea", strategy="semantic")
