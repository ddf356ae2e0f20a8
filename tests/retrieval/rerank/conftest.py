from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.types import Memory
from engram_lab.retrieval.rerank import Candidate, RerankQuery

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def query() -> RerankQuery:
    return RerankQuery(text="who drinks tea", now=NOON)


@pytest.fixture(scope="session")
def candidate() -> Callable[..., Candidate]:
    """Make a candidate of a key, a score and fields of its memory."""

    def make(key: int, score: float, *, vector: Any = None, **fields: Any) -> Candidate:
        known: dict[str, Any] = {
            "id": f"memory-{key}",
            "content": f"memory {key}",
            "created_at": NOON,
            "updated_at": NOON,
            "content_hash": "0" * 64,
        }
        return Candidate(key=key, score=score, memory=Memory(**known | fields), vector=vector)

    return make
