"""What is offered to an agent does not depend on words that it cannot reach."""

from __future__ import annotations

from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MINE, OTHERS = "global/org:a", "global/org:b"


def test_near_words_out_of_reach_crowd_out_none(opened: Callable[..., Any]) -> None:
    with opened(embedding={"model": "none"}) as engine:
        engine.remember("harbour", scope=MINE)
        agent = engine.as_agent("coder", MINE)
        before = agent.suggest("harbor")
        assert [each.replacement for each in before] == ["harbour"]
        engine.remember_many(
            [{"content": f"harbo{letter}", "scope": OTHERS} for letter in ascii_lowercase] * 2
        )
        assert agent.suggest("harbor") == before
