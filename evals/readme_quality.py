"""What the README says of the profiles: figures of committed runs beside published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["PROFILES"]

BASELINES: Final = Path(__file__).with_name("baselines")

MEASURES: Final = ("recall_any@10", "R@10", "nDCG@10")


class Published(NamedTuple):
    """A figure of somebody else, in points.

    Attributes:
        who: And with what.
        values: Under `MEASURES`; None where nothing was published.
        how: The protocol, where it differs.
        source: Repository and file, or page.
    """

    who: str
    values: tuple[float | None, ...]
    how: str
    source: str


SOMNIGRAPH: Final = "`AlexisOlson/somnigraph`: `docs/benchmarks.md`"

TURNS: Final = (
    Published(
        "Somnigraph: FTS5 and `text-embedding-3-small`, RRF",
        (75.4, None, None),
        "1,531 questions; vectors of a paid service",
        f"{SOMNIGRAPH}, level 0",
    ),
    Published(
        "Somnigraph: LightGBM over 15 features",
        (88.7, None, None),
        "likewise; by the one model that is trained on all ten conversations "
        "(`scripts/locomo_bench/train_locomo_reranker.py`)",
        f"{SOMNIGRAPH}, level 1",
    ),
    Published(
        "Somnigraph: LightGBM over 12 features, cross-validated",
        (80.0, None, 57.9),
        "1,977 questions, adversarial ones among them; each conversation left out in turn",
        f"{SOMNIGRAPH}, level 3",
    ),
)
"""LLM-free figures for LoCoMo's turns."""

SESSIONS: Final = (
    Published(
        "MemPalace: hybrid v5",
        (None, 88.9, None),
        "1,986 questions",
        "`MemPalace/mempalace`: `benchmarks/BENCHMARKS.md`",
    ),
    Published(
        "hebb-mind: bge-large and a cross-encoder",
        (95.75, 91.7, None),
        "1,978 questions",
        "`afx-team.github.io/hebb-mind`",
    ),
    Published("plain BM25", (95.2, 90.9, 76.9), "1,982 questions; k1 1.2, b 0.75", "30 lines"),
)
"""Likewise for its sessions, adversarial questions among them."""

MEANT: Final = {
    "words": "BM25 of the turn, beside it, in its session",
    "meaning": "cosines of vectors, in each form of the question",
    "late": "late interaction over vectors of words",
    "turns": "who speaks, question or answer, length, names",
    "times": "times told and asked for",
    "links": "activation over links",
}
"""The families of features."""


def conversation_part() -> str:
    """Return how well conversations are remembered, beside what is published, and why."""
    record = run("quality-conversation")
    data, found = record["data"], record["candidates"]
    systems = record["systems"]
    lines = [
        (
            f"**LoCoMo, turn by turn**, without a language model: {data['headline']:,} questions of "
            f"categories 1 to 4 on {data['conversations']} conversations, MiniLM on the CPU. "
            "`recall_any@10` asks whether one of the turns that answer is among the first ten, `R@10` "
            "how many of them are. Weights that were learned never saw the conversation that they are "
            "judged on. In brackets: 95 %, conversations drawn."
        ),
        "",
        table(
            ("", *MEASURES, "with adversarial ones", "otherwise"),
            (*map(published, TURNS), *(ours(name, row) for name, row in systems.items())),
        ),
        "",
        (
            f"Sources: {sources(TURNS)}. Read figures of others as claims: models, questions and "
            "candidates differ."
        ),
        "",
        meaning(record, found),
        "",
        "<details><summary>What each feature adds</summary>",
        "",
        ablations(record),
        "",
        "</details>",
    ]
    if (BASELINES / "quality-locomo-session.json").exists():
        lines += ["", sessions(run("quality-locomo-session"))]
    return "\n".join([*lines, "", f"Command: `{record['command']}`."])


def meaning(record: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return what the figures say, in words."""
    systems, gains = record["systems"], record["conversation less"]
    best = max(gains, key=lambda name: float(systems[name]["headline"]["nDCG@10"]))
    hand, seen = systems["by-hand"]["headline"], record["rows"]["judged on what it saw"]["seen"]
    drawn = record["control"]
    share = found["any"]
    without = record["rows"]["without a family"]
    most = min(without, key=lambda name: float(without[name]["less"]["nDCG@10"]["delta"]))
    return (
        f"`conversation` finds {told(gains[best]['recall_any@10'])} points more than `{best}`, "
        f"the best of the others without weights for conversations, and `by-hand`, which no data "
        f"had a say in, stands at {hand['recall_any@10']:.1f}. Of the {found['mean']:.0f} "
        f"candidates of a question one answers in {share:.1f} %: no order finds more. Judged on "
        f"what they saw, the weights would seem "
        f"{seen['less']['recall_any@10']['delta']:+.1f} points better. Learned from answers drawn "
        f"by lot they find {drawn['learned']['recall_any@10']:.1f} %, chance "
        f"{drawn['chance']['recall_any@10']:.1f} %. The family that is missed most is `{most}`: "
        f"{told(without[most]['less']['nDCG@10'])} points of nDCG@10."
    )


def ablations(record: Mapping[str, Any]) -> str:
    """Return a row for each feature and family: what is lost without it, or won with it."""
    rows = record["rows"]
    head = ("learned", "recall_any@10", "R@10", "nDCG@10", "p")
    lines: list[tuple[str, ...]] = []
    for name, row in rows["without a family"].items():
        lines.append((f"without `{name}`: {MEANT.get(name, '')}", *cells(row)))
    for name, row in rows["a family alone"].items():
        lines.append((f"`{name}` alone", *cells(row)))
    for name, row in rows["without a feature"].items():
        lines.append((f"without `{name}`{rare(row)}", *cells(row)))
    for name, row in rows["with one more"].items():
        lines.append((f"with `{name}`{rare(row)}", *cells(row)))
    for name, row in rows["by hand, without a family"].items():
        lines.append((f"by hand, without `{name}`", *cells(row)))
    return (
        "Each row learned anew. Points that are lost or won against the whole, with 95 %; p of the "
        "paired randomisation test of nDCG@10, after Holm's correction over the rows of a kind. "
        "Features say much the same in other words, so that a single one is easily spared; a "
        "share says in how many questions it tells candidates apart, where they are few.\n\n"
        + table(head, lines)
    )


def rare(row: Mapping[str, Any]) -> str:
    """Return in how many questions a feature tells candidates apart, where they are few."""
    share = float(row.get("varies", 1.0))
    return f" ({100 * share:.0f} % of questions)" if share < 0.5 else ""  # noqa: PLR2004


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the differences of a row, and p."""
    p = float(row["less"]["nDCG@10"]["p_adjusted"])
    shown = "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004
    return (*(told(row["less"][each]) for each in MEASURES), shown)


def told(each: Mapping[str, float]) -> str:
    """Return a difference with its interval."""
    return f"{each['delta']:+.1f} [{each['low']:+.1f}, {each['high']:+.1f}]"


def ours(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the row of a system."""
    values = []
    for each in MEASURES:
        low, high = row["interval"][each]
        values.append(f"{row['headline'][each]:.1f} [{low:.1f}, {high:.1f}]")
    with_all = " · ".join(f"{row['all'][each]:.1f}" for each in MEASURES)
    how = "each conversation left out in turn" if name == "conversation" else ""
    return (f"`{name}`", *values, with_all, how)


def published(each: Published) -> tuple[str, ...]:
    """Return the row of somebody else."""
    values = ["" if value is None else f"{value:.1f}" for value in each.values]
    if "adversarial" in each.how:
        together = " · ".join(value or "-" for value in values)
        return (each.who, "", "", "", together, each.how)
    return (each.who, *values, "", each.how)


def sources(rows: Iterable[Published]) -> str:
    """Return where published figures stand."""
    return "; ".join(dict.fromkeys(each.source for each in rows))


def sessions(record: Mapping[str, Any]) -> str:
    """Return the figures for whole sessions, from a `results.json` of `locomo-session`."""
    rows = [
        (each.who, *("" if value is None else f"{value:.1f}" for value in each.values), each.how)
        for each in SESSIONS
    ]
    for system in record["systems"]:
        parts = (system["measures"], system["categories"]["adversarial"])
        values = [
            sum(part[each]["mean"] * part[each]["n"] for part in parts)
            / sum(part[each]["n"] for part in parts)
            for each in MEASURES
        ]
        rows.append((f"`{system['name']}`", *(f"{100 * value:.1f}" for value in values), ""))
    return (
        "**LoCoMo, whole sessions**, adversarial questions among them; some 27 candidates a "
        "question, so that plain BM25 is hard to beat:\n\n"
        + table(("", *MEASURES, "otherwise"), rows)
        + f"\n\nSources: {sources(SESSIONS)}."
    )


def neutral_part() -> str:
    """Return how the neutral profile does beside its arms, and what other evidence would give."""
    record = run("quality-neutral")
    names = list(record["sets"])
    documents = [name for name in names if record["sets"][name]["documents"]]
    head = ("", *names, "documents", "all")

    def rows(of: Mapping[str, Mapping[str, float]]) -> Iterable[tuple[str, ...]]:
        for name, row in of.items():
            said = f"{name}: {record['said'][name]}" if name in record["said"] else f"`{name}`"
            yield (said, *(f"{row[each]:.1f}" for each in head[1:]))

    less = record["neutral_less_on_average_over_documents"]
    differences = [
        (rival, *(told(record["neutral_less"][name][rival]) for name in documents), told(mean))
        for rival, mean in less.items()
    ]
    measures = ", ".join(
        f"{name} {each['measure']} ({each['questions']:,})" for name, each in record["sets"].items()
    )
    return "\n".join(
        [
            table(head, rows(record["systems"])),
            "",
            table(("`neutral` less", *documents, "on average"), differences),
            "",
            f"Measures and questions: {measures}. Command: `{record['command']}`.",
            "",
            "<details><summary>Other ways to share the say between the arms</summary>",
            "",
            table(head, rows(record["rules"])),
            "",
            "</details>",
        ]
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    titles = list(head)
    lines = ["|".join(f" {cell} " if cell else " " for cell in row) for row in (titles, *rows)]
    rule = "---|" * (len(titles) - 1) + "---"
    return "\n".join(f"|{line}|" for line in (lines[0], rule, *lines[1:]))


def run(name: str) -> dict[str, Any]:
    """Return what a committed run measured."""
    found: dict[str, Any] = json.loads((BASELINES / f"{name}.json").read_text(encoding="utf-8"))
    return found


PROFILES: Final[Mapping[str, Callable[[], str]]] = {
    "conversation": conversation_part,
    "neutral": neutral_part,
}
"""What is made for the README, by the name of the marks around it."""
