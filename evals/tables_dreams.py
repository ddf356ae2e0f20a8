"""What documents say of dreams: the benchmark beside its nulls, SICK, LoCoMo, speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from committed import BASELINES, figure, run, table, wrapped

from engram_lab.evaluation.consolidation.suite import MEASURES, PHASES, TASKS, TITLES, kind_of
from engram_lab.evaluation.measures.parsing import falls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["best_of", "dreams_part", "shown"]

LARGER: Final = "consolidation-10k"
"""A run over more memories, of which the rows about merging are told where it is committed."""

OF_MERGING: Final = ("merge_precision", "merge_recall", "near_miss_overmerge", "b3_f1")

NO_SHARES: Final = ("reaccess_log_loss",)
"""Measures that are told as they are, and not in percent."""

VERDICTS: Final = {
    "beats": "beats each null",
    "does not": "beats not each null",
    "not judged": "not judged",
}

WAYS: Final = {
    "cosine": "cosine alone, from {least}",
    "guards": "cosine from {least}, and the guards",
    "merge": "the step `merge`, as it is set",
}

TOLD: Final = {
    "again": "dreaming again at once",
    "incremental": "a dream after new memories",
    "dry run": "looking at the same beforehand",
    "undo": "undoing both dreams",
}
"""What is told of the speed beside the figures that have a bar."""


def dreams_part() -> str:
    """Return what dreams are worth: the benchmark, SICK, LoCoMo, speed."""
    results = run("consolidation")
    parts = [benchmark_part(results)]
    if (BASELINES / f"{LARGER}.json").exists():
        parts.append(larger_part(run(LARGER)))
    parts += [worlds_part(), phases_part(results), sick_part(), dreamt_part(), speed_part()]
    return "\n\n".join(parts)


def benchmark_part(results: Mapping[str, Any]) -> str:
    """Return each headline measure of the benchmark beside its nulls."""
    made = results["record"]["dataset"]["variant"]
    text = (
        f"**The benchmark**: `{command_of(results)}`, a made-up world of some "
        f"{int(made['size']):,} memories, {embedder_of(results)}. In percent, but for the log "
        "loss; in brackets: 95 %, for which whole people, projects or chains are drawn. Last the "
        "difference from the best null, and p after Holm over the nulls. *Less* marks measures of "
        "which less is better."
    )
    return f"{wrapped(text)}\n\n{beside_table(results, MEASURES)}"


def larger_part(results: Mapping[str, Any]) -> str:
    """Return how well memories are merged where there are many more of them."""
    size = int(results["record"]["dataset"]["variant"]["size"])
    text = f"**Merging among {size:,} memories**: `{command_of(results)}`."
    told = (each for each in MEASURES if each.partition(".")[0] in OF_MERGING)
    return f"{wrapped(text)}\n\n{beside_table(results, told)}"


def command_of(results: Mapping[str, Any]) -> str:
    """Return the command of a run, which names its tasks where it was not all of them."""
    told: str = results["record"]["command"]
    return told.partition(" --task ")[0] if results["benchmark"]["tasks"] == [*TASKS] else told


def embedder_of(results: Mapping[str, Any]) -> str:
    """Return which vectors a run had, in words."""
    name = str(results["record"].get("embedder") or "")
    for mark, meant in (("minilm", "MiniLM"), ("hash", "vectors of hashed words")):
        if mark in name.lower():
            return meant
    return f"vectors of `{name}`" if name else "no vectors"


def beside_table(results: Mapping[str, Any], measures: Iterable[str]) -> str:
    """Return a table of measures: what is judged, its nulls, and what it is better by."""
    head = ("measure", "judged", "", "nulls", "less the best null", "p")
    return table(head, (row for each in measures for row in rows_of(results, each)))


def rows_of(results: Mapping[str, Any], measure: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each system that is judged by a measure."""
    held = [each for each in results["benchmark"]["beside_nulls"] if each["measure"] == measure]
    less = " *less*" if falls(measure) else ""
    for name, means in judged_by(results, measure):
        low, high = means["ci"]
        ours = f"{shown(measure, means['mean'])} [{shown(measure, low)}, {shown(measure, high)}]"
        nulls = [each for each in held if each["system"] == name]
        told = " · ".join(
            [
                *(f"`{each['null']}` {shown(measure, each['null_value'])}" for each in nulls),
                *ceilings(results, measure),
            ]
        )
        best = best_of(nulls, measure)
        yield (
            f"`{measure}`{less}",
            f"`{name}`",
            ours,
            told,
            difference(measure, best) if best else "",
            p_of(best) if best else "",
        )


def judged_by(results: Mapping[str, Any], measure: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return whom a measure is told of: whom a phase is judged by, else dreams, else all."""
    found = {
        each["name"]: each["measures"][measure]
        for each in results["systems"]
        if measure in each["measures"] and kind_of(each["name"]) == "proposal"
    }
    of_phases = {
        each.system for each in PHASES if measure in each.measures or measure in each.unharmed
    }
    wanted = [name for name in found if name in of_phases]
    wanted = wanted or [name for name in found if name == "dream"] or list(found)
    return [(name, found[name]) for name in wanted]


def best_of(nulls: Sequence[Mapping[str, Any]], measure: str) -> Mapping[str, Any] | None:
    """Return the row of the null that is hardest to beat."""
    sign = -1 if falls(measure) else 1
    return max(nulls, key=lambda each: sign * float(each["null_value"]), default=None)


def ceilings(results: Mapping[str, Any], measure: str) -> Iterator[str]:
    """Yield what those reach that know the truth."""
    for each in results["systems"]:
        if measure in each["measures"] and kind_of(each["name"]) == "ceiling":
            yield f"ceiling `{each['name']}` {shown(measure, each['measures'][measure]['mean'])}"


def shown(measure: str, value: float) -> str:
    """Return a value of a measure in digits."""
    return f"{value:.3f}" if measure in NO_SHARES else f"{100 * value:.1f}"


def difference(measure: str, row: Mapping[str, Any]) -> str:
    """Return a difference with its interval."""
    scale, digits = (1, 3) if measure in NO_SHARES else (100, 1)
    delta, low, high = (f"{scale * row[each]:+.{digits}f}" for each in ("delta", "low", "high"))
    return f"{delta} [{low}, {high}]"


def p_of(row: Mapping[str, Any]) -> str:
    """Return p, shortened."""
    p = float(row["p"])
    return "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004


def worlds_part() -> str:
    """Return how what dreams reach differs from world to world."""
    found = run("consolidation-worlds")
    text = (
        f"**From world to world**: {len(found['worlds'])} worlds of some {found['size']:,} "
        "memories, which no rule was made with in sight. In percent:"
    )
    rows = []
    for measure, each in found["measures"].items():
        spread = (f"{100 * each[name]:.1f}" for name in ("least", "median", "most"))
        less = " *less*" if falls(measure) else ""
        met = each.get("worlds that meet it")
        told = "" if met is None else f"{met} of {len(found['worlds'])}"
        rows.append((f"`{measure}`{less}", *spread, each.get("bar", ""), told))
    head = ("measure", "least", "median", "most", "bar", "worlds that meet it")
    return f"{wrapped(text)}\n\n{table(head, rows)}\n\nCommand: `{found['command']}`."


def phases_part(results: Mapping[str, Any]) -> str:
    """Return each step, whether it is on by default, and why; and what the nulls are."""
    rows = [
        (
            f"`{each['phase']}`",
            "on" if each["on"] else "off",
            VERDICTS[each["verdict"]],
            each["said"],
        )
        for each in results["benchmark"]["phases"]
    ]
    text = (
        "**What that says of each step.** It is to be on by default where it beats every null in "
        "the measures by which it is judged, and harms none of the others:"
    )
    names = {each["null"] for each in results["benchmark"]["beside_nulls"]}
    meant = "; ".join(
        f"`{name}`: {title.partition(': ')[2] or title}"
        for name, title in TITLES.items()
        if name in names and kind_of(name) == "null"
    )
    steps = table(("step", "by default", "verdict", "why"), rows)
    return f"{wrapped(text)}\n\n{steps}\n\n{wrapped(f'The nulls. {meant}.')}"


def sick_part() -> str:
    """Return which sentences of SICK would be merged."""
    found = run("quality-sick")
    test, train = found["test"], found["train"]
    text = (
        f"**What is merged of SICK**: of {test['pairs']:,} pairs of sentences that its weights "
        "never saw, those are one statement that annotators call entailed, and 4.5 or more out of "
        "5 alike. In percent; last how many of the pairs that contradict each other are merged."
    )
    rows = [
        (
            meaning(way),
            *(f"{100 * each[name]:.1f}" for name in ("precision", "recall", "contradictions")),
        )
        for way, each in test["ways"].items()
    ]
    ours = train["ways"]["merge"]
    after = (
        f"On the training pairs the step has {100 * ours['precision']:.1f} and "
        f"{100 * ours['recall']:.1f}. Command: `{found['command']}`; {found['model']}."
    )
    head = ("merged by", "precision", "recall", "contradictions")
    return f"{wrapped(text)}\n\n{table(head, rows)}\n\n{wrapped(after)}"


def meaning(way: str) -> str:
    """Return how a way of merging is told."""
    kind, _, least = way.replace(",", "").partition(" ")
    return WAYS[kind].format(least=least)


def dreamt_part() -> str:
    """Return what a dream does to recall on LoCoMo."""
    found = run("quality-dreamt")
    text = (
        "**LoCoMo, turn by turn, before and after a dream**: the same questions of the same "
        f"systems, through the gate, whose margin is {found['margin']:g}. In brackets: 95 % of the "
        "difference, for which conversations are drawn. A dream by default leaves turns as they "
        "are, so nothing is lost there by nothing being done; the others merge turns."
    )
    rows = [
        (
            f"{name}: {told['verdict']}",
            f"`{each['system']}`",
            f"`{each['measure']}`",
            f"{100 * each['before']:.1f}",
            f"{100 * each['after']:.1f}",
            changed(each),
        )
        for name, told in found["dreams"].items()
        for each in told["checks"]
    ]
    head = ("dream", "system", "measure", "before", "after", "difference")
    return f"{wrapped(text)}\n\n{table(head, rows)}\n\nCommand: `{found['command']}`."


def changed(each: Mapping[str, float]) -> str:
    """Return a difference in points, with its interval."""
    points = (each["after"] - each["before"], each["low"], each["high"])
    delta, low, high = (f"{100 * value:+.1f}" for value in points)
    return f"{delta} [{low}, {high}]"


def speed_part() -> str:
    """Return what dreams cost."""
    found = run("bench-dreaming")
    rows = [
        (
            each["name"],
            f"{each['rows']:,}",
            figure(each["ours"], each["unit"]),
            "" if each["floor"] is None else figure(each["floor"], each["unit"]),
            each["bar"].strip(),
            "met" if each["met"] else "missed",
        )
        for each in found["figures"]
    ]
    largest = max(each["rows"] for each in found["figures"])
    beside = {
        each["name"]: each["ours"] for each in found["informational"] if each["rows"] == largest
    }
    hashed = next(each["ours"] for each in found["informational"] if "hashed words" in each["name"])
    also = "; ".join(
        f"{meant} takes {figure(beside[name], 's')}"
        for name, meant in TOLD.items()
        if name in beside
    )
    after = (
        f"With {largest:,} memories, {also}. With vectors of hashed words a recall that is "
        f"recorded takes {hashed:.2f} times one that is not. Command: `{found['command']}`."
    )
    head = ("", "memories", "ours", "beside", "bar", "")
    return f"**What dreams cost**:\n\n{table(head, rows)}\n\n{wrapped(after)}"
