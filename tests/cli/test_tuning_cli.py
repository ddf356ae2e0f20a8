"""What `engram eval tune` says that it chose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from engram_lab.cli.tuning import chosen_lines
from engram_lab.evaluation.tuning import Plan, parse_space, tune

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.cli.conftest import Engram

SHARE = "retrieval.dense_share"
B = "retrieval.bm25_b"
SPACE = parse_space(
    {
        "parameters": [
            {"name": SHARE, "kind": "float", "low": 0, "high": 1},
            {"name": B, "kind": "float", "low": 0, "high": 1},
        ],
    },
    id="hills",
)
DATA = {
    "memories.jsonl": """\
{"id": "m1", "content": "the tide turns at six"}
{"id": "m2", "content": "Ada drinks coffee"}
""",
    "queries.jsonl": """\
{"id": "q1", "text": "when does the tide turn", "category": "when"}
{"id": "q2", "text": "what does Ada drink", "category": "what"}
""",
    "qrels.tsv": "query-id\tcorpus-id\tscore\nq1\tm1\t1\nq2\tm2\t1\n",
}


def told(worth: float) -> list[str]:
    """Return what is said where a share of 0.2 is worth so much more than the default."""

    def evaluate(settings: Mapping[str, Any]) -> pl.DataFrame:
        gain = worth * (1 - abs(settings[SHARE] - 0.2)) if settings else 0.0
        return pl.DataFrame(
            {
                "query_id": [f"q{number}" for number in range(8)],
                "category": [None] * 8,
                "cluster": [f"c{number % 4}" for number in range(8)],
                "m": [0.5 + gain] * 8,
            },
            schema_overrides={"category": pl.String},
        )

    plan = Plan(space=SPACE, measure="m", trials=6, resamples=99)
    return list(chosen_lines(tune(evaluate, plan)))


def test_a_chosen_value_stands_beside_the_default_one() -> None:
    first, second = told(0.3)
    assert re.fullmatch(rf"{SHARE} = 0\.\d+ \(default 0\.5\)", first)
    assert re.fullmatch(rf"{B} = [01]\.\d+ \(default 0\.75\)", second)


def test_where_nothing_is_better_the_defaults_are_kept() -> None:
    (said,) = told(-0.3)
    assert said == "kept the defaults: of 7 configurations that were tried none is worth more"


def test_the_command_says_what_it_kept(engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGRAM_EMBEDDING_MODEL", "none")
    for name, text in DATA.items():
        place = Path("mine", name)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    line = f'{{ name = "{B}", kind = "float", low = 0.0, high = 1.0 }}'
    Path("own.toml").write_text(f"title = 'own'\nparameters = [{line}]\n", encoding="utf-8")
    words = ("--data", "mine", "--system", "bm25", "--trials", "2", "--space", "own.toml")
    said = engram("eval", "tune", "frames", *words)
    assert "kept the defaults: of 3 configurations that were tried none is worth more\n" in said
