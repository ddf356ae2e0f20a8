from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.terms import Term


def test_a_term_is_its_text_and_nothing_more_unless_told() -> None:
    assert Term("tea") == Term("tea", prefix=False, field=None)
    assert len({Term("tea"), Term("tea", prefix=True), Term("tea", field="tags")}) == 3
    with pytest.raises(FrozenInstanceError):
        Term("tea").text = "milk"  # type: ignore[misc]  # it is frozen


@pytest.mark.parametrize(
    ("text", "options", "named"),
    [
        (7, {}, "text"),
        (None, {}, "text"),
        (b"tea", {}, "text"),
        ("tea", {"prefix": 1}, "prefix"),
        ("tea", {"prefix": "yes"}, "prefix"),
        ("tea", {"field": "title"}, "content, tags"),
        ("tea", {"field": ""}, "field"),
        ("tea", {"field": ["tags"]}, "field"),
    ],
)
def test_what_is_no_term_is_refused(text: Any, options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        Term(text, **options)
