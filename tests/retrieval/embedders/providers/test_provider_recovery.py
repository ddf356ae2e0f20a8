"""The law of patience: what fails and then succeeds gives what never failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.retrieval.embedders.providers.conftest import Asking, Behaviour, Provider

RETRIES = 3
FAULTS = (
    "status 408",
    "status 429",
    "status 500",
    "status 502",
    "status 503",
    "status 504",
    "cut",
    "hang_up",
    "html",
    "reset",
    "stop_midway",
    "fewer",
    "more",
    "ragged",
    "nan",
    "empty",
)


def behaviour(provider: Provider, fault: str) -> Behaviour:
    """Return how a provider behaves that has the fault."""
    if fault.startswith("status "):
        return provider.status(int(fault.removeprefix("status ")), {"error": fault})
    made: dict[str, Behaviour] = {
        "html": provider.status(200, b"<html>Bad gateway</html>"),
        "fewer": provider.vectors(lambda rows: rows[1:]),
        "more": provider.vectors(lambda rows: [*rows, rows[0]]),
        "ragged": provider.vectors(lambda rows: [*rows[1:], [1.0]] if rows[1:] else [[]]),
        "nan": provider.vectors(lambda rows: [[None] * len(row) for row in rows]),
        "empty": provider.vectors(lambda rows: [[] for _ in rows]),
    }
    return made[fault] if fault in made else getattr(provider, fault)


@pytest.mark.parametrize("name", ["cohere", "ollama", "openai", "voyage"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=7),
    batch=st.integers(1, 4),
    faults=st.lists(st.lists(st.sampled_from(FAULTS), max_size=RETRIES), max_size=7),
)
def test_failures_within_the_retries_change_nothing(
    asking: Asking,
    provider: Provider,
    name: str,
    texts: list[str],
    batch: int,
    faults: list[list[str]],
) -> None:
    """Each batch fails up to as often as it may, in any way, and then succeeds."""
    provider.script.clear()
    for of_a_batch in faults:
        provider.will(*(behaviour(provider, fault) for fault in of_a_batch), provider.well)

    with asking(name, model="m", dim=8, batch=batch, retries=RETRIES) as embedder:
        rows = embedder.embed(texts, kind="document")

    expected = np.zeros((len(texts), 8), np.float32)
    sent = [i for i, text in enumerate(texts) if text.strip()]
    expected[sent] = asking.right([texts[i] for i in sent]) if sent else 0
    np.testing.assert_allclose(rows, expected, atol=1e-6)
