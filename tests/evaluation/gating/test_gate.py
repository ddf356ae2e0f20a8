from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from engram_lab.core.errors import InvalidInputError, InvalidRunError
from engram_lab.evaluation.gating.baseline import Baseline, baseline_of
from engram_lab.evaluation.gating.gate import EXIT, judge
from engram_lab.evaluation.measures import parsing
from engram_lab.evaluation.suite import HEADLINE, GateRules

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateCheck, GateReport

MakeRun = Callable[..., Path]
FoundAt = Callable[..., dict[str, list[float | None]]]

RULES = GateRules(measures=("recall_any@10", "nDCG@10"), resamples=2000)


def check_of(
    report: GateReport, name: str, group: str = HEADLINE, system: str = "bm25"
) -> GateCheck:
    (found,) = [
        each
        for each in report.checks
        if (each.system, each.name, each.group) == (system, name, group)
    ]
    return found


def test_the_same_again_passes(made_run: MakeRun, found_at: FoundAt) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})

    report = judge(run, baseline_of(run), RULES)

    assert report.verdict == "pass"
    assert EXIT[report.verdict] == 0
    assert [each for each in report.checks if each.status == "fail"] == []
    check = check_of(report, "recall_any@10")
    assert check.said.startswith(
        "recall_any@10 0.600 → 0.600, delta 0.000 [0.000, 0.000], p (Holm) 1.000"
    )
    assert check.said.endswith("over 200 queries: no loss")


def test_a_large_loss_fails_and_says_its_figures(made_run: MakeRun, found_at: FoundAt) -> None:
    before = made_run("a", {"bm25": found_at(0.7)})
    after = made_run("b", {"bm25": found_at(0.55)})

    report = judge(after, baseline_of(before), RULES)

    assert report.verdict == "regression"
    assert EXIT[report.verdict] == 1
    check = check_of(report, "recall_any@10")
    assert check.status == "fail"
    assert check.margin == 0.01
    assert check.contrast is not None
    assert check.contrast.delta == pytest.approx(-0.15)
    assert check.contrast.p_adjusted < 0.01
    assert "0.700 → 0.550, delta −0.150" in check.said  # noqa: RUF001
    assert "a significant loss beyond the margin of 0.01" in check.said
    assert f"detectable loss {check.contrast.mde:.3f} over 200 queries" in check.said


def test_a_gain_passes(made_run: MakeRun, found_at: FoundAt) -> None:
    before, after = made_run("a", {"bm25": found_at(0.5)}), made_run("b", {"bm25": found_at(0.9)})

    assert judge(after, baseline_of(before), RULES).verdict == "pass"


def test_a_significant_loss_within_the_margin_passes(made_run: MakeRun, found_at: FoundAt) -> None:
    rules = GateRules(measures=("recall_any@10",), margin=0.2, category_margin=0.2)
    before, after = made_run("a", {"bm25": found_at(0.7)}), made_run("b", {"bm25": found_at(0.55)})

    report = judge(after, baseline_of(before), rules)

    check = check_of(report, "recall_any@10")
    assert check.contrast is not None
    assert check.contrast.p_adjusted < rules.alpha
    assert check.status == "pass"
    assert "within the margin of 0.2" in check.said


def test_a_loss_at_the_margin_is_not_beyond_it(made_run: MakeRun) -> None:
    before = made_run("a", {"x": {"m": [0.6] * 100}}, categories=[None] * 100)
    after = made_run("b", {"x": {"m": [0.5] * 100}}, categories=[None] * 100)

    def verdict(margin: float) -> str:
        return judge(after, baseline_of(before), GateRules(measures=("m",), margin=margin)).verdict

    assert verdict(0.1) == "pass"
    assert verdict(0.0999) == "regression"


def test_a_loss_that_may_be_chance_passes(made_run: MakeRun) -> None:
    chance = np.random.default_rng(3)
    before = chance.random(40)
    after = before - 0.02 + chance.normal(0, 0.3, 40)
    a = made_run("a", {"x": {"m": before.tolist()}})
    b = made_run("b", {"x": {"m": after.tolist()}})

    report = judge(b, baseline_of(a), GateRules(measures=("m",)))

    check = check_of(report, "m", system="x")
    assert check.contrast is not None
    assert check.contrast.delta < -0.01
    assert check.status == "pass"
    assert "not significant at 0.05" in check.said


def test_a_loss_in_one_category_fails_there_alone(made_run: MakeRun) -> None:
    categories = ["large"] * 900 + ["small"] * 100
    chance = np.random.default_rng(1)
    before = np.where(chance.random(1000) < 0.6, 1.0, 0.0)
    after = before.copy()
    after[900:960] = 0.0
    after[:30] = 1.0
    a = made_run("a", {"bm25": {"m": before.tolist()}}, categories=categories)
    b = made_run("b", {"bm25": {"m": after.tolist()}}, categories=categories)

    report = judge(b, baseline_of(a), GateRules(measures=("m",), margin=0.05))

    assert {each.group for each in report.failed} == {"small"}
    assert "m in small" in check_of(report, "m", "small").said
    quiet = GateRules(measures=("m",), margin=0.05, categories=False)
    assert judge(b, baseline_of(a), quiet).verdict == "pass"


def test_what_is_apart_is_no_part_of_the_headline(made_run: MakeRun) -> None:
    categories = ["plain"] * 100 + ["adversarial"] * 100
    before = [1.0] * 200
    after = [1.0] * 100 + [0.0] * 100
    a = made_run("a", {"x": {"m": before}}, categories=categories, apart=["adversarial"])
    b = made_run("b", {"x": {"m": after}}, categories=categories, apart=["adversarial"])
    rules = GateRules(measures=("m",))

    def headline(**options: Any) -> str:
        report = judge(b, baseline_of(a), rules, **options)
        return check_of(report, "m", system="x").status

    assert headline() == "pass"
    assert headline(apart=()) == "fail"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"data": "e" * 64}, "data with the SHA-256 dddddddddddd"),
        ({"suite": "another"}, "the suite 'made-up', not 'another'"),
        ({"ids": [f"x{n}" for n in range(200)]}, "200 queries of the baseline are missing"),
    ],
)
def test_other_questions_are_incomparable_and_never_a_pass(
    made_run: MakeRun, found_at: FoundAt, other: dict[str, Any], said: str
) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))

    report = judge(made_run("b", {"bm25": found_at(0.9)}, **other), baseline, RULES)

    assert report.verdict == "incomparable"
    assert EXIT[report.verdict] == 3
    assert said in report.incomparable["bm25"]
    assert report.comparisons == {}


def test_one_query_less_is_incomparable(made_run: MakeRun, found_at: FoundAt) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))

    report = judge(made_run("b", {"bm25": found_at(0.6, n=199)}), baseline, RULES)

    assert report.verdict == "incomparable"
    assert "1 queries of the baseline are missing" in report.incomparable["bm25"]


def test_one_system_that_cannot_be_compared_is_enough_to_withhold_a_pass(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    both = {"bm25": found_at(0.6), "rrf": found_at(0.7)}
    baseline = baseline_of(made_run("a", both))
    short = {"bm25": found_at(0.6), "rrf": found_at(0.7, n=100)}

    report = judge(made_run("b", short), baseline, RULES)

    assert report.verdict_of("bm25") == "pass"
    assert report.verdict_of("rrf") == "incomparable"
    assert report.verdict == "incomparable"


def test_systems_on_one_side_are_skipped_and_said(made_run: MakeRun, found_at: FoundAt) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6), "old": found_at(0.6)}))
    run = made_run(
        "b", {"bm25": found_at(0.6), "new": found_at(0.1)}, skipped={"dense": "no model is here"}
    )

    report = judge(run, baseline, RULES)

    assert report.verdict == "pass"
    assert set(report.skipped) == {"old", "new", "dense"}
    assert "no model is here" in report.skipped["dense"]
    assert "add it with --update-baseline" in report.skipped["new"]


@pytest.mark.parametrize("name", ["old", "new", "dense"])
def test_a_system_that_was_asked_for_must_be_judged(
    made_run: MakeRun, found_at: FoundAt, name: str
) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6), "old": found_at(0.6)}))
    run = made_run(
        "b", {"bm25": found_at(0.6), "new": found_at(0.1)}, skipped={"dense": "no model is here"}
    )

    report = judge(run, baseline, RULES, systems=["bm25", name])

    assert report.verdict == "incomparable"
    assert set(report.incomparable) == {name}


def test_only_the_systems_asked_for_are_judged(made_run: MakeRun, found_at: FoundAt) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.8), "rrf": found_at(0.8)}))
    run = made_run("b", {"bm25": found_at(0.8), "rrf": found_at(0.2)})

    assert judge(run, baseline, RULES, systems=["bm25"]).verdict == "pass"
    assert judge(run, baseline, RULES).verdict == "regression"
    with pytest.raises(InvalidInputError, match="has a system 'bm52': known are bm25, rrf"):
        judge(run, baseline, RULES, systems=["bm52"])


def test_nothing_in_common_is_incomparable(made_run: MakeRun, found_at: FoundAt) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))

    assert judge(made_run("b", {"rrf": found_at(0.6)}), baseline, RULES).verdict == "incomparable"


def test_a_measure_on_one_side_is_skipped_with_the_reason(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))
    values = found_at(0.6)
    del values["nDCG@10"]

    report = judge(made_run("b", {"bm25": values}), baseline, RULES)

    assert report.verdict == "pass"
    assert check_of(report, "nDCG@10").status == "skip"
    assert "the run has no value of nDCG@10" in check_of(report, "nDCG@10").said
    nothing = judge(made_run("c", {"bm25": {"R@5": [1.0] * 200}}), baseline, RULES)
    assert nothing.verdict == "incomparable"


def test_queries_that_went_unscored_are_no_way_to_pass(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))
    values: Any = found_at(0.6)
    values["recall_any@10"] = [each or None for each in values["recall_any@10"]]

    report = judge(
        made_run("b", {"bm25": values}), baseline, GateRules(measures=("recall_any@10",))
    )

    assert report.verdict == "incomparable"
    assert "80 queries scored on one side alone" in check_of(report, "recall_any@10").said


def test_a_category_on_one_side_is_skipped_and_said(made_run: MakeRun) -> None:
    values = {"m": [1.0, 0.0] * 50}
    a = made_run("a", {"x": values}, categories=["one"] * 50 + ["two"] * 50)
    b = made_run("b", {"x": values}, categories=["one"] * 50 + ["three"] * 50)

    report = judge(b, baseline_of(a), GateRules(measures=("m",)))

    skipped = {each.group for each in report.checks if each.status == "skip" and each.group}
    assert skipped == {"two", "three"}
    judged = [each.group for each in report.checks if each.contrast is not None]
    assert judged in ([HEADLINE, "one"], [HEADLINE])
    assert report.verdict == "pass"


def test_rounding_in_the_file_is_no_change(made_run: MakeRun) -> None:
    run = made_run("a", {"x": {"m": [n / 7 for n in range(7)] * 20}})

    report = judge(run, baseline_of(run), GateRules(measures=("m",), margin=0.0))

    check = check_of(report, "m", system="x")
    assert check.contrast is not None
    assert (check.contrast.wins, check.contrast.losses) == (0, 0)


def test_one_forbidden_hit_is_too_many(made_run: MakeRun, found_at: FoundAt) -> None:
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))
    qrels = [("q0000", "m0", 1), ("q0001", "secret", -2), ("q0002", "old", -1)]
    better = {"bm25": found_at(0.9)}

    def judged(*hits: tuple[str, str]) -> GateReport:
        return judge(made_run("b", better, qrels=qrels, hits={"bm25": hits}), baseline, RULES)

    clean = judged(("q0000", "secret"), ("q0002", "old"))  # forbidden for another question
    assert check_of(clean, "forbidden hits").status == "pass"
    leaking = judged(("q0000", "m0"), ("q0001", "m0"), ("q0001", "secret"))
    assert leaking.verdict == "regression"
    assert check_of(leaking, "forbidden hits").said == (
        "1 forbidden hit of 1 that could be; allowed is 0; "
        "the query 'q0001' shows 'secret' at rank 2"
    )


def test_where_nothing_is_forbidden_that_is_said(made_run: MakeRun, found_at: FoundAt) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})

    check = check_of(judge(run, baseline_of(run), RULES), "forbidden hits")

    assert (check.status, check.said) == ("skip", "the data forbid nothing")


def test_guards_are_judged_as_they_were_found(made_run: MakeRun, found_at: FoundAt) -> None:
    def judged(status: str) -> GateReport:
        guard = {"status": status, "count": 2, "said": "2 canaries of others"}
        run = made_run("a", {"bm25": found_at(0.6)}, guards={"bm25": {"tenant leaks": guard}})
        return judge(run, baseline_of(run), RULES)

    assert judged("pass").verdict == "pass"
    assert judged("skip").verdict == "pass"
    assert judged("fail").verdict == "regression"
    assert judged("unheard of").verdict == "regression"
    assert [each.said for each in judged("fail").failed] == ["2 canaries of others"]


def test_exact_checks_come_first_and_do_not_stand_in_for_a_comparison(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    guard = {"tenant leaks": {"status": "pass", "count": 0, "said": "none"}}
    run = made_run("a", {"bm25": {"other": [1.0] * 200}}, guards={"bm25": guard})
    baseline = baseline_of(made_run("b", {"bm25": found_at(0.6)}))

    report = judge(run, baseline, RULES)

    kinds = [each.kind for each in report.checks]
    assert kinds == sorted(kinds)
    assert report.verdict == "incomparable"


def test_exact_checks_are_made_also_where_nothing_can_be_compared(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    guard = {"tenant leaks": {"status": "fail", "count": 1, "said": "a leak"}}
    baseline = baseline_of(made_run("a", {"bm25": found_at(0.6)}))
    run = made_run("b", {"bm25": found_at(0.6)}, data="e" * 64, guards={"bm25": guard})

    assert judge(run, baseline, RULES).verdict == "regression"


def test_the_verdict_over_a_system_does_not_depend_on_the_others(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    names = [f"s{n}" for n in range(6)]
    alone = judge(
        made_run("b", {"s0": found_at(0.62)}),
        baseline_of(made_run("a", {"s0": found_at(0.66)})),
        RULES,
    )
    among = judge(
        made_run("d", {name: found_at(0.62) for name in names}),
        baseline_of(made_run("c", {name: found_at(0.66) for name in names})),
        RULES,
    )

    assert [each.contrast for each in alone.checks] == [
        each.contrast for each in among.checks if each.system == "s0"
    ]


def test_of_what_must_not_be_found_more_is_the_loss(made_run: MakeRun) -> None:
    rules = GateRules(measures=("stale@10",), resamples=500)
    few = made_run("a", {"x": {"stale@10": [0.0] * 90 + [1.0] * 10}}, categories=[None] * 100)
    many = made_run("b", {"x": {"stale@10": [0.0] * 60 + [1.0] * 40}}, categories=[None] * 100)

    worse, better = judge(many, baseline_of(few), rules), judge(few, baseline_of(many), rules)

    assert (worse.verdict, better.verdict) == ("regression", "pass")
    contrast = worse.failed[0].contrast
    assert contrast is not None
    assert (contrast.mean_a, contrast.mean_b) == (0.1, 0.4)
    assert contrast.delta == pytest.approx(0.3)
    assert contrast.low <= 0.3 <= contrast.high
    assert (contrast.wins, contrast.losses) == (0, 30)
    assert "stale@10 0.100 → 0.400, delta +0.300" in worse.failed[0].said
    assert {(each.before, each.after) for each in worse.comparisons["x"].moved} == {(0.0, 1.0)}


def test_what_is_newly_shown_and_must_not_be_is_newly_failed(made_run: MakeRun) -> None:
    a = made_run("a", {"x": {"stale@10": [1.0, 0.0, 2.0, 0.0]}}, categories=[None] * 4)
    b = made_run("b", {"x": {"stale@10": [0.0, 1.0, 1.0, 0.0]}}, categories=[None] * 4)

    moved = judge(b, baseline_of(a), GateRules(measures=("stale@10",))).comparisons["x"].moved

    assert [(each.query_id, each.newly_failed, each.gain) for each in moved] == [
        ("q0001", True, -1.0),
        ("q0000", False, 1.0),
        ("q0002", False, 1.0),
    ]


def test_a_measure_of_ones_own_is_judged_in_its_own_direction(
    made_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing.MEASURES, "_known", dict(parsing.MEASURES._known))
    parsing.define("words", says="how many words a prompt gets", higher_is_better=False)(
        lambda ranking, _judged, _k: float(len(ranking))
    )
    few = made_run("a", {"x": {"words@5": [1.0] * 100}}, categories=[None] * 100)
    many = made_run("b", {"x": {"words@5": [2.0] * 100}}, categories=[None] * 100)
    rules = GateRules(measures=("words@5",), resamples=500)

    assert judge(many, baseline_of(few), rules).verdict == "regression"
    assert judge(few, baseline_of(many), rules).verdict == "pass"


def test_a_gate_with_more_tests_than_it_can_tell_apart_warns(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    categories = [f"topic {n % 40}" for n in range(200)]
    before = made_run("a", {"bm25": found_at(0.9)}, categories=categories)
    after = made_run("b", {"bm25": found_at(0.0)}, categories=categories)

    def judged(resamples: int) -> GateReport:
        rules = GateRules(measures=("recall_any@10", "nDCG@10"), resamples=resamples)
        return judge(after, baseline_of(before), rules)

    blind = judged(1639)  # 2 measures over 41 groups: 82 / 1640 is no less than 0.05
    assert blind.failed == ()
    assert "82 tests share 0.05" in blind.warnings["bm25"]
    seeing = judged(1640)
    assert seeing.warnings == {}
    assert {each.group for each in seeing.failed} == {HEADLINE}


def test_rules_without_a_measure_are_refused(made_run: MakeRun, found_at: FoundAt) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})
    with pytest.raises(InvalidInputError, match="name no measure, so nothing could fail"):
        judge(run, baseline_of(run), GateRules())


def test_what_moved_is_told_newly_failed_first(made_run: MakeRun) -> None:
    a = made_run("a", {"x": {"m": [1.0, 0.5, 0.0, 1.0]}}, categories=[None] * 4)
    b = made_run("b", {"x": {"m": [1.0, 0.0, 1.0, 0.5]}}, categories=[None] * 4)

    moved = judge(b, baseline_of(a), GateRules(measures=("m",))).comparisons["x"].moved

    assert [each.query_id for each in moved] == ["q0001", "q0003", "q0002"]
    assert moved[0].newly_failed


def test_a_baseline_file_may_be_given_by_its_path(
    made_run: MakeRun, found_at: FoundAt, tmp_path: Path
) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})

    with pytest.raises(InvalidRunError, match="there is no such baseline"):
        judge(str(run), tmp_path / "none.json", RULES)


def test_a_missing_run_file_is_named_where_something_is_forbidden(
    made_run: MakeRun, found_at: FoundAt
) -> None:
    run = made_run("a", {"bm25": found_at(0.6)}, qrels=[("q0000", "m", -2)])
    baseline = baseline_of(run)
    (run / "runs" / "bm25.trec").unlink()

    with pytest.raises(InvalidRunError, match=r"bm25\.trec: it cannot be read"):
        judge(run, baseline, RULES)


def pairs(seed: int, *, loss: float) -> tuple[list[float], list[float], Sequence[str]]:
    """Return values of 600 queries before and after, of three equal categories.

    Both are noisy; in the last category as much as `loss` is gone from the mean.
    """
    chance = np.random.default_rng(seed)
    hard = chance.beta(2, 1.5, 600)
    before = np.clip(hard + chance.normal(0, 0.08, 600), 0, 1)
    after = np.clip(hard + chance.normal(0, 0.08, 600), 0, 1)
    after[400:] = np.clip(after[400:] - loss, 0, 1)
    return before.tolist(), after.tolist(), ["a"] * 200 + ["b"] * 200 + ["c"] * 200


def verdicts(loss: float, n: int, *, rules: GateRules) -> list[str]:
    found: list[str] = []
    for seed in range(n):
        before, after, categories = pairs(seed, loss=loss)
        found.append(judge_values(before, after, categories, rules).verdict)
    return found


def judge_values(
    before: list[float], after: list[float], categories: Sequence[str], rules: GateRules
) -> GateReport:
    """Judge without files, as two hundred folders take a while."""
    from engram_lab.evaluation.gating.baseline import BaselineSystem
    from engram_lab.evaluation.runs.results import RunFolder

    ids = [f"q{n:04d}" for n in range(len(before))]
    system = BaselineSystem(
        spec={}, config_hash=None, measures={"m": np.round(before, 6).tolist()}, provenance={}
    )
    baseline = Baseline(
        suite="s",
        data="d",
        queries=tuple(ids),
        categories=tuple(categories),
        clusters=(None,) * len(ids),
        systems={"x": system},
    )
    folder = RunFolder(Path("nowhere"))
    folder.__dict__["results"] = {
        "suite": "s",
        "record": {"dataset": {"hash": "d"}},
        "systems": [{"name": "x", "spec": {}, "guards": {}}],
    }
    folder.__dict__["per_query"] = pl.DataFrame(
        {
            "system": ["x"] * len(ids),
            "query_id": ids,
            "category": categories,
            "cluster": pl.Series([None] * len(ids), dtype=pl.String),
            "m": after,
        }
    )
    return judge(folder, baseline, rules)


SIMULATED = GateRules(measures=("m",), resamples=999)


def test_noise_passes_and_three_points_lost_in_one_category_do_not() -> None:
    noise = verdicts(0.0, 20, rules=SIMULATED)
    planted = verdicts(0.03, 20, rules=SIMULATED)

    assert noise.count("regression") <= 2
    assert planted.count("regression") >= 16


@pytest.mark.slow
def test_so_it_is_over_two_hundred_pairs() -> None:
    noise = verdicts(0.0, 200, rules=SIMULATED)
    planted = verdicts(0.03, 200, rules=SIMULATED)

    assert noise.count("regression") <= 10
    assert planted.count("regression") >= 160


def test_the_report_says_where_the_baseline_came_from(made_run: MakeRun, found_at: FoundAt) -> None:
    run = made_run("a", {"bm25": found_at(0.6)})

    told = judge(run, baseline_of(run), RULES).baseline

    assert told["systems"]["bm25"]["code"] == {"revision": "abc", "dirty": False}
    assert json.dumps(told)
