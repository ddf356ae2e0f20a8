from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engram_lab.core.checksums import json_sha256
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import IncomparableError, InvalidInputError, InvalidRunError
from engram_lab.evaluation.gating.baseline import (
    Baseline,
    baseline_of,
    read_baseline,
    update_baseline,
)
from engram_lab.evaluation.runs.results import read_results

MakeRun = Callable[..., Path]
FoundAt = Callable[..., dict[str, list[float | None]]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "baselines" / "made-up.json"


def put(path: Path, run: Any, **options: Any) -> Baseline:
    clock = options.pop("clock", ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC)))
    return update_baseline(
        path, run, reason=options.pop("reason", "the first"), clock=clock, **options
    )


def edited(path: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool = False) -> None:
    """Change a file as a person would; `sealed` also makes its checksum fit."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    if sealed:
        del content["checksum"]
        content["checksum"] = json_sha256(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_baseline_comes_back_as_it_was_written(
    made_run: MakeRun, found_at: FoundAt, path: Path
) -> None:
    run = made_run("a", {"bm25": found_at(0.6), "rrf": found_at(0.7)}, clusters=["c"] * 200)

    written = put(path, run)

    assert read_baseline(path) == written
    assert written.suite == "made-up"
    assert list(written.systems) == ["bm25", "rrf"]
    assert written.systems["bm25"].means() == {"recall_any@10": 0.6, "nDCG@10": 0.42}
    assert set(written.clusters) == {"c"}
    assert written.provenance()["systems"]["rrf"]["code"] == {"revision": "abc", "dirty": False}


def test_its_rows_are_those_of_the_run(made_run: MakeRun, found_at: FoundAt, path: Path) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})

    rows = put(path, run).per_query("bm25")

    assert rows.equals(read_results(run).of("bm25").sort("query_id"))


def test_values_are_kept_to_six_digits_and_what_is_unscored_as_null(
    made_run: MakeRun, path: Path
) -> None:
    run = made_run("a", {"bm25": {"nDCG@10": [1 / 3, None, float("nan")]}})

    put(path, run)

    values = read_baseline(path).systems["bm25"].measures["nDCG@10"]
    assert list(values) == [0.333333, None, None]


def test_a_measure_that_a_system_never_has_is_not_kept(made_run: MakeRun, path: Path) -> None:
    values = {"nDCG@10": [1.0, 0.0], "R@10": [None, None]}

    assert list(put(path, made_run("a", {"bm25": values})).systems["bm25"].measures) == ["nDCG@10"]


def test_the_order_of_rows_does_not_matter(made_run: MakeRun, path: Path) -> None:
    forward = {"nDCG@10": [1.0, 0.5, 0.0]}
    backward = {"nDCG@10": [0.0, 0.5, 1.0]}
    ids = ["a", "b", "c"]
    one = baseline_of(made_run("one", {"x": forward}, ids=ids, categories=ids))
    two = baseline_of(made_run("two", {"x": backward}, ids=ids[::-1], categories=ids[::-1]))

    assert one == two


def test_a_change_of_one_system_is_a_change_of_few_lines(
    made_run: MakeRun, found_at: FoundAt, path: Path
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6), "rrf": found_at(0.7)}))
    before = path.read_text(encoding="utf-8").splitlines()

    put(path, made_run("b", {"rrf": found_at(0.8)}))

    after = path.read_text(encoding="utf-8").splitlines()
    assert len(set(after) - set(before)) <= 4  # two measures, the history, the checksum
    assert max(len(line) for line in after) < 20_000


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_no_reason_no_update(made_run: MakeRun, found_at: FoundAt, path: Path, reason: str) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})

    with pytest.raises(InvalidInputError, match="reason is empty"):
        put(path, run, reason=reason)
    assert not path.exists()


def test_history_tells_when_why_and_the_means_before_and_after(
    made_run: MakeRun, found_at: FoundAt, path: Path, clock: ManualClock
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6)}), clock=clock)
    clock.advance(days=1)
    put(
        path,
        made_run("b", {"bm25": found_at(0.7)}),
        clock=clock,
        reason="  a better analyser ",
        command="engram eval gate --update-baseline",
    )

    first, second = read_baseline(path).history

    assert first["systems"]["bm25"]["before"] is None
    assert second["reason"] == "a better analyser"
    assert second["at"] == "2026-05-02T12:00:00+00:00"
    assert second["command"] == "engram eval gate --update-baseline"
    assert second["systems"]["bm25"]["before"]["recall_any@10"] == 0.6
    assert second["systems"]["bm25"]["after"]["recall_any@10"] == 0.7


def test_systems_that_the_run_has_not_stay(
    made_run: MakeRun, found_at: FoundAt, path: Path
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6), "rrf": found_at(0.7)}))

    updated = put(path, made_run("b", {"rrf": found_at(0.8), "new": found_at(0.9)}))

    means = {name: each.means()["recall_any@10"] for name, each in updated.systems.items()}
    assert means == {"bm25": 0.6, "rrf": 0.8, "new": 0.9}


def test_only_the_named_systems_are_taken(made_run: MakeRun, found_at: FoundAt, path: Path) -> None:
    run = made_run("a", {"bm25": found_at(0.6), "rrf": found_at(0.7)})

    assert list(put(path, run, systems=["rrf"]).systems) == ["rrf"]
    with pytest.raises(InvalidInputError, match="no system 'dense': it has bm25, rrf"):
        put(path, run, systems=["dense"])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"data": "e" * 64}, "the data had the SHA-256 dddddddddddd"),
        ({"suite": "another"}, "the suite was 'made-up' and is 'another'"),
        ({"ids": [f"x{n}" for n in range(200)]}, "200 queries .* missing and 200 are new"),
    ],
)
def test_other_data_are_refused_unless_said(
    made_run: MakeRun, found_at: FoundAt, path: Path, other: dict[str, Any], said: str
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6), "rrf": found_at(0.7)}))
    before = path.read_bytes()
    run = made_run("b", {"bm25": found_at(0.6)}, **other)

    with pytest.raises(IncomparableError, match=said):
        put(path, run)
    assert path.read_bytes() == before

    updated = put(path, run, other_data=True)
    assert list(updated.systems) == ["bm25"]
    assert updated.history[-1]["dropped"] == ["rrf"]
    assert updated.history[-1]["systems"]["bm25"]["before"]["recall_any@10"] == 0.6


def test_a_file_that_was_edited_by_hand_is_refused(
    made_run: MakeRun, found_at: FoundAt, path: Path
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6)}))

    def lower(content: dict[str, Any]) -> None:
        content["systems"]["bm25"]["measures"]["recall_any@10"][0] = 0.0

    edited(path, lower)
    with pytest.raises(InvalidRunError, match=r"made-up\.json: .*checksum.*edited by hand"):
        read_baseline(path)
    with pytest.raises(InvalidRunError, match="checksum"):
        put(path, made_run("b", {"bm25": found_at(0.6)}))


def test_a_file_that_was_laid_out_anew_is_still_good(
    made_run: MakeRun, found_at: FoundAt, path: Path
) -> None:
    written = put(path, made_run("a", {"bm25": found_at(0.6)}))
    edited(path, lambda _: None)

    assert read_baseline(path) == written


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.update(version=9), "version 9 and this program reads 1"),
        (lambda content: content.update(format="other"), "this is no baseline"),
        (lambda content: content.pop("queries"), "lacks a part"),
        (lambda content: content["queries"]["ids"].pop(), "lists of other lengths"),
        (lambda content: content["systems"].update(x={"spec": {}}), "lacks a part"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    made_run: MakeRun, found_at: FoundAt, path: Path, change: Callable[[Any], None], said: str
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6)}))
    edited(path, change, sealed=True)

    with pytest.raises(InvalidRunError, match=said):
        read_baseline(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "engram-baseline"}']
)
def test_what_is_no_baseline_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(InvalidRunError, match="baseline"):
        read_baseline(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(InvalidRunError, match=r"made-up\.json: there is no such baseline"):
        read_baseline(path)


def test_it_is_written_whole_or_not_at_all(
    made_run: MakeRun, found_at: FoundAt, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(path, made_run("a", {"bm25": found_at(0.6)}))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(path, made_run("b", {"bm25": found_at(0.7)}))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["made-up.json"]
    assert path.stat().st_mode & stat.S_IROTH


def test_no_secret_of_a_configuration_is_written(
    made_run: MakeRun, found_at: FoundAt, path: Path
) -> None:
    settings = {"embedding": {"model": "openai", "api_key": "sk-1", "url": "https://u:pw@host/"}}
    spec = {"kind": "engine", "settings": settings, "config_hash": "h"}

    put(path, made_run("a", {"e": found_at(0.6)}, specs={"e": spec}))

    text = path.read_text(encoding="utf-8")
    assert "sk-1" not in text
    assert "pw@" not in text
    assert read_baseline(path).systems["e"].config_hash == "h"


def test_systems_over_different_queries_make_no_baseline(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    run = made_run("a", {"bm25": found_at(0.6), "short": found_at(0.6, n=100)})

    with pytest.raises(InvalidRunError, match="answered different queries"):
        baseline_of(run)


def test_a_run_without_a_system_makes_no_baseline(made_run: MakeRun, found_at: FoundAt) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})
    edited(run / "results.json", lambda content: content.update(systems=[]))

    with pytest.raises(InvalidRunError, match="holds no system"):
        baseline_of(run)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: (run / "results.json").unlink(), "no results.json"),
        (lambda run: (run / "per_query.parquet").unlink(), "per_query.parquet: cannot be read"),
        (lambda run: (run / "per_query.parquet").write_bytes(b"PAR1"), "cannot be read"),
        (
            lambda run: edited(run / "results.json", lambda found: found["record"].pop("dataset")),
            "lacks a part",
        ),
        (
            lambda run: edited(
                run / "results.json", lambda found: found["systems"].append({"name": "ghost"})
            ),
            "'ghost', of which per_query.parquet has no row",
        ),
    ],
)
def test_a_damaged_run_is_refused_and_named(
    made_run: MakeRun, found_at: FoundAt, spoil: Callable[[Path], None], said: str
) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})
    spoil(run)

    with pytest.raises(InvalidRunError, match=said):
        baseline_of(run)


def test_a_query_that_stands_twice_is_refused(made_run: MakeRun, found_at: FoundAt) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})
    rows = pl.read_parquet(run / "per_query.parquet")
    pl.concat([rows, rows.head(1)]).write_parquet(run / "per_query.parquet")

    with pytest.raises(InvalidRunError, match="'q0000' of 'bm25' more than once"):
        baseline_of(run)
