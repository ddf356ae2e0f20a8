"""What documents say of speed, of plain recall and of the gate, by the last committed runs."""

from __future__ import annotations

from typing import Final

from committed import figure, run, table

__all__ = [
    "bench_table",
    "detectable_table",
    "quality_table",
    "retrieval_table",
    "scoring_table",
    "tests_table",
]

LOCOMO: Final = {
    "1": "multi-hop",
    "2": "temporal",
    "3": "open-domain",
    "4": "single-hop",
    "5": "adversarial",
}
"""What the simulated categories are in LoCoMo, whose sizes they have."""

TESTS: Final = {
    "queries, mean": "queries, under the mean",
    "clusters, mean": "whole conversations, under the mean",
    "queries, t over clusters": "queries, under the mean over its cluster-robust error",
}
LITTLE: Final = "as k1 of BM25 has it"
MUCH: Final = "strongly shared"
"""Kinds of noise: how much of it the questions of a conversation share."""


def detectable_table() -> str:
    """Return what a gate can see on data of LoCoMo's sizes, and how often it errs."""
    figures = run("simulation-gate")
    rows = [
        (
            LOCOMO[each["group"]],
            f"{each['n']:,}",
            f"{100 * each['mde']:.1f} points",
            share(each["found"]["rate"]),
        )
        for each in sorted(figures["detectable"], key=lambda each: -each["n"])
    ]
    head = (
        "category",
        "questions",
        "detectable loss of `recall_any@10`",
        "pairs in which it was found",
    )
    alarms = max(each["gate"]["rate"] for each in figures["false alarms"] if "gate" in each)
    equal = f"- Of pairs of systems that are equally good, at most {share(alarms)} failed the gate."
    lines = [table(head, rows), "", equal]
    for few in sorted({len(each["measures"]) for each in figures["planted"]}):
        lost, noise = (each for each in figures["planted"] if len(each["measures"]) == few)
        lines.append(
            f"- With {few} measures in the gate, {share(lost['fails the gate']['rate'])} of the "
            f"pairs that had lost {100 * lost['loss']:.0f} points in `{LOCOMO['4']}` failed, "
            f"{share(lost['names the category']['rate'])} by that category's name, and "
            f"{share(noise['fails the gate']['rate'])} of those that had lost nothing."
        )
    return "\n".join([*lines, "", f"Command: `{figures['command']}` (`make simulations`)."])


def tests_table() -> str:
    """Return what three tests are worth on the same simulated pairs."""
    figures = run("simulation-gate")
    found = {each["noise"]: each for each in figures["found by test"]}
    rows = [
        (
            TESTS[each["test"]],
            share(each["one test"]["headline"]["rate"]),
            share(each["any of 24 after Holm"]["rate"]),
            share(found[LITTLE][each["test"]]["rate"]),
            share(found[MUCH][each["test"]]["rate"]),
        )
        for each in figures["false alarms"]
        if each["noise"] == MUCH
    ]
    head = (
        "signs are flipped of",
        "false alarms of one test, much shared",
        "of any of 24, after Holm",
        "3 points found, little shared",
        "3 points found, much shared",
    )
    return f"{table(head, rows)}\n\nCommand: `{figures['command']}`, at a level of 5 %."


def share(value: float) -> str:
    """Return a share in percent."""
    return f"{100 * value:.1f} %"


def bench_table() -> str:
    """Return the figures of the last committed run."""
    lines = ["| | ours | floor | ratio | bar |", "|---|---|---|---|---|"]
    for each in run("bench-core")["figures"]:
        floor = "" if each["floor"] is None else f"{each['floor']:,.0f} {each['unit']}"
        ours = f"{each['ours']:,.0f} {each['unit']}"
        lines.append(f"| {each['name']} | {ours} | {floor} | {each['ratio']:.2f} | {each['bar']} |")
    return "\n".join(lines)


def scoring_table() -> str:
    """Return how long scoring and statistics take, by the last committed runs."""
    rows = []
    for name in ("bench-scoring", "bench-statistics"):
        for each in run(name)["figures"]:
            floor = "" if each["floor"] is None else figure(each["floor"], "s")
            ratio = "" if each["ratio"] is None else figure(each["ratio"])
            rows.append((each["name"], figure(each["ours"], "s"), floor, ratio, each["bar"] or ""))
    return table(("", "ours", "floor", "ratio", "bar"), rows)


def quality_table() -> str:
    """Return the last committed figures of LoCoMo and SciFact, beside the known ones."""
    record = run("quality-locomo")
    lines = [
        "| | " + " | ".join(record["measures"]) + " | noted |",
        "|---|" + "---|" * (len(record["measures"]) + 1),
    ]
    for name, system in record["systems"].items():
        ours = " | ".join(f"{value:.1f}" for value in system["no5"])
        noted = " · ".join(f"{value:.1f}" for value in system["noted"] or ())
        lines.append(f"| {name} | {ours} | {noted} |")
    lines += ["", "| SciFact, nDCG@10 | | published |", "|---|---|---|"]
    for name, system in record["scifact"].items():
        known = " to ".join(f"{value:.1f}" for value in dict.fromkeys(system["published"]))
        lines.append(f"| {name} | {system['ndcg']:.1f} | {known} |")
    return "\n".join(lines)


def retrieval_table() -> str:
    """Return the gate figures of the last committed run of the retrieval bench."""
    record = run("bench-retrieval")
    smallest = min(each["rows"] for each in record["figures"] if "hybrid" in each["name"])
    lines = ["| | memories | ours | floor or peer | bar | |", "|---|---|---|---|---|---|"]
    for each in record["figures"]:
        if each["rows"] == smallest:
            continue
        floor = "" if each["floor"] is None else figure(each["floor"], each["unit"])
        ours = figure(each["ours"], each["unit"])
        met = "met" if each["met"] else "missed"
        lines.append(
            f"| {each['name']} | {each['rows']:,} | {ours} | {floor} | {each['bar']} | {met} |"
        )
    return "\n".join(lines)
