"""For people who write plug-ins: checks that one keeps its contract, and data to test it with.

    def test_my_store() -> None:
        check_store(lambda: MyStore.open(":memory:"))

    def test_my_embedder() -> None:
        check_embedder(MyEmbedder())

    def test_my_fusion() -> None:
        check_fusion(MyFusion())

    def test_my_reranker() -> None:
        check_reranker(MyReranker())

    def test_my_vector_index() -> None:
        check_vector_index(MyIndex)

    def test_my_step_of_a_dream() -> None:
        check_step(MyStep())

    @given(memory_drafts())
    def test_my_linker(draft: dict[str, Any]) -> None: ...

The strategies are for hypothesis, which the extra `testing` brings.
"""

from typing import TYPE_CHECKING, Any

from engram_lab.testing.dream_steps import check_step
from engram_lab.testing.embedders import check_embedder
from engram_lab.testing.rankers import check_fusion, check_reranker
from engram_lab.testing.store import check_store
from engram_lab.testing.trial import ConformanceError
from engram_lab.testing.vector_indexes import check_vector_index

if TYPE_CHECKING:
    from engram_lab.testing.strategies import filters, memory_drafts

__all__ = [
    "ConformanceError",
    "check_embedder",
    "check_fusion",
    "check_reranker",
    "check_step",
    "check_store",
    "check_vector_index",
    "filters",
    "memory_drafts",
]


def __getattr__(name: str) -> Any:
    """Import the strategies, and hypothesis with them, on first use."""
    if name in {"filters", "memory_drafts"}:
        from engram_lab.testing import strategies

        return getattr(strategies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
