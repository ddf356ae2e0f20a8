from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest

from engram_lab.evaluation.datasets.catalogue import load_dataset
from engram_lab.evaluation.protocols import CONVENTIONS
from engram_lab.evaluation.running.crosswalking import ROWS, crosswalk_run
from engram_lab.evaluation.running.evaluate import run_suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "locomo"

published = pytest.mark.skipif(
    not (DATA / "locomo10_corrected.json").is_file(),
    reason="ENGRAM_DATA has no locomo/locomo10_corrected.json",
)


def test_what_comes_with_the_package_has_one_key(tmp_path: Path) -> None:
    folder = run_suite(
        load_suite("tiny"),
        [load_system("random"), load_system("recency")],
        out=tmp_path / "out",
        guards=False,
    )

    found = crosswalk_run(folder, systems=["recency"], cuts=[10, 3, 10])

    assert found.rows.schema == ROWS
    assert found.cuts == (10, 3)
    assert found.notes == ()
    assert found.rows["system"].unique().to_list() == ["recency"]
    measures = found.rows["measure"].unique(maintain_order=True).to_list()
    assert measures == [each.at(k) for k in (10, 3) for each in CONVENTIONS]
    # The suite's own figure is among them: the headline is without what is apart.
    (own,) = (each for each in folder.results["systems"] if each["name"] == "recency")
    same = found.rows.filter(measure="R@10", questions="without adversarial")
    assert same["mean"].to_list() == pytest.approx([own["measures"]["R@10"]["mean"]])


@published
def test_questions_of_a_key_that_drops_one_are_known_by_their_words(tmp_path: Path) -> None:
    folder = run_suite(
        load_suite("locomo-session"), [load_system("random")], out=tmp_path / "out", guards=False
    )

    found = crosswalk_run(folder, cuts=[5])

    official, corrected = (
        load_dataset("locomo", options={"unit": "session", "key": key})
        for key in ("official", "corrected")
    )
    asked = defaultdict(list)
    for id_, corpus, text in official.queries.select("id", "corpus", "text").rows():
        asked[corpus, text].append(id_)
    relevant = defaultdict(set)
    for query, memory in corrected.qrels.select("query_id", "memory_id").rows():
        relevant[query].add(memory)
    best = defaultdict(set)
    hits = folder.run("random").hits.filter(pl.col("rank") <= 5)
    for query, memory in hits.select("query_id", "memory_id").rows():
        best[query].add(memory)
    values = []
    for id_, corpus, text in corrected.queries.select("id", "corpus", "text").rows():
        if asked[corpus, text]:
            values.append(bool(best[asked[corpus, text].pop(0)] & relevant[id_]))
    row = found.rows.filter(key="corrected", questions="all", measure="recall_any@5").to_dicts()[0]
    assert (row["n"], len(values)) == (1975, 1975)
    assert row["mean"] == pytest.approx(sum(values) / len(values))
    (note,) = found.notes
    assert note == (
        "key corrected: 6 of its 1,981 questions are worded otherwise, were not asked, and are "
        "left out"
    )
