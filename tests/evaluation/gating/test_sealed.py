from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.checksums import json_sha256
from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.gating.sealed import plain, read_sealed, write_sealed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def back(path: Path) -> dict[str, Any]:
    return read_sealed(path, kind="note", format="note", version=1, advice="write it anew")


@given(value=JSON)
def test_what_is_written_comes_back(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sealed") / "note.json"
    content = {"format": "note", "version": 1, "value": plain(value)}

    write_sealed(path, content)

    assert back(path) == content


@given(value=JSON)
def test_the_digest_does_not_depend_on_the_layout(value: Any) -> None:
    content = {"b": 1, "a": plain(value)}

    turned = json.loads(json.dumps(dict(reversed(content.items())), indent=3))

    assert json_sha256(turned) == json_sha256(content)
    assert json_sha256({**content, "b": 2}) != json_sha256(content)


def test_what_is_no_number_is_null_and_what_is_no_list_a_list() -> None:
    assert plain({1: (math.nan, [math.inf, 0.5])}) == {"1": [None, [None, 0.5]]}


@pytest.mark.parametrize("position", range(2, 60, 7))
def test_no_character_may_change(position: int, tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    write_sealed(path, {"format": "note", "version": 1, "text": "abcdefghijklmnopqrstuvwxyz"})
    text = path.read_text(encoding="utf-8")
    other = "#" if text[position] != "#" else "+"
    path.write_text(text[:position] + other + text[position + 1 :], encoding="utf-8")

    try:
        unchanged = json.loads(path.read_text(encoding="utf-8")) == json.loads(text)
    except ValueError:
        unchanged = False
    if not unchanged:
        with pytest.raises(InvalidRunError, match=r"note\.json: .*write it anew"):
            back(path)


def test_a_file_without_a_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    path.write_text('{"format": "note", "version": 1}')

    with pytest.raises(InvalidRunError, match="checksum"):
        back(path)
