"""What documents say of the profiles: figures of committed runs beside published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from committed import BASELINES, run, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ablations_part", "conversation_part", "fusion_rules_part", "neutral_part"]

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


SOMNIGRAPH: Final = (
    "`AlexisOlson/somnigraph`: `docs/benchmarks.md` (levels 0, 1 and 3), "
    "`scripts/locomo_bench/eval_retrieval.py`, `train_locomo_reranker.py`"
)

TURNS: Final = (
    Published(
        "Somnigraph: FTS5 and `text-embedding-3-small`, RRF",
        (75.4, None, None),
        "1,531 questions; vectors of a paid service",
        SOMNIGRAPH,
    ),
    Published(
        "Somnigraph: LightGBM over 15 features",
        (88.7, None, None),
        "likewise; its script asks one saved model, which is fitted to all ten conversations",
        SOMNIGRAPH,
    ),
    Published(
        "Somnigraph: LightGBM over 12 features, cross-validated",
        (80.0, None, 57.9),
        "1,977 questions, adversarial ones among them; each conversation left out in turn",
        SOMNIGRAPH,
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
        "`afx-team/hebb-mind`: `afx-team.github.io/hebb-mind`",
    ),
    Published("BM25 of 30 lines", (95.2, 90.9, 76.9), "1,982 questions; k1 1.2, b 0.75", ""),
)
"""Likewise for its sessions, adversarial questions among them."""

OURS: Final = {
    "by-hand": "weights set by hand, none trained",
    "conversation": "each conversation left out in turn",
}
"""What must be known of a row."""

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
    data, systems = record["data"], record["systems"]
    lines = [
        wrapped(
            f"**LoCoMo, turn by turn**, without a language model: {data['headline']:,} questions "
            f"of categories 1 to 4 on {data['conversations']} conversations; MiniLM, on a CPU. "
            "`recall_any@10`: one of the turns that answer is among the first ten. `R@10`: how "
            "many of them are. In brackets: 95 %, for which conversations are drawn. Figures of "
            "others are what they publish:"
        ),
        "",
        table(
            ("", *MEASURES, "the same with adversarial questions", ""),
            (*map(published, TURNS), *(ours(name, row) for name, row in systems.items())),
        ),
        "",
        wrapped(meaning(record)),
        "",
        costs(),
    ]
    shown = [*TURNS]
    if (BASELINES / "quality-locomo-session.json").exists():
        lines += ["", sessions(run("quality-locomo-session"))]
        shown += SESSIONS
    return "\n".join(
        [
            *lines,
            "",
            wrapped(
                f"Command: `{record['command']}`; what each feature adds stands below. "
                f"Published: {sources(shown)}."
            ),
        ]
    )


def meaning(record: Mapping[str, Any]) -> str:
    """Return what the figures say, in words."""
    systems, gains, found = record["systems"], record["conversation less"], record["candidates"]
    plain = [name for name in gains if name not in OURS]
    best = max(plain, key=lambda name: float(systems[name]["headline"]["nDCG@10"]))
    seen = record["rows"]["judged on what it saw"]["seen"]["less"]["recall_any@10"]["delta"]
    drawn = record["control"]
    return (
        f"`conversation` less `{best}`: {told(gains[best]['recall_any@10'])} points of "
        f"`recall_any@10`, {told(gains[best]['nDCG@10'])} of `nDCG@10`. Its weights never saw the "
        f"conversation that they are judged on; on what they saw they are {seen:+.1f} better, and "
        f"learned from answers drawn by lot they find {drawn['learned']['recall_any@10']:.1f} % "
        f"where chance finds {drawn['chance']['recall_any@10']:.1f} %. Which features there are "
        "was decided with these conversations in sight, so expect a little less of others. "
        f"Among the {found['mean']:.0f} candidates of a question one answers in "
        f"{found['any']:.1f} %: the most that any order could reach."
    )


def ablations_part() -> str:
    """Return a row for each feature and family: what is lost without it, or won with it."""
    record = run("quality-conversation")
    rows = record["rows"]
    lines: list[tuple[str, ...]] = []
    for name, row in rows["beside words and cosine"].items():
        lines.append((f"`words` and `cosine`, with `{name}`{rare(row)}", *cells(row)))
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
    return table(("", *MEASURES, "p of nDCG@10"), lines)


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
    return (f"`{name}`", *values, with_all, OURS.get(name, ""))


def published(each: Published) -> tuple[str, ...]:
    """Return the row of somebody else."""
    values = ["" if value is None else f"{value:.1f}" for value in each.values]
    if "adversarial" in each.how:
        together = " · ".join(value or "-" for value in values)
        return (each.who, "", "", "", together, each.how)
    return (each.who, *values, "", each.how)


def sources(rows: Iterable[Published]) -> str:
    """Return where published figures stand."""
    return "; ".join(dict.fromkeys(each.source for each in rows if each.source))


def costs() -> str:
    """Return what a recall by the conversation profile costs, and what is kept of a turn."""
    record = run("bench-conversation")
    figures = {each["name"].partition(": ")[2]: each for each in record["figures"]}
    kept = {each["name"].partition(": ")[2]: each for each in record["informational"]}
    recall, slow = figures["recall by conversation to hybrid, p50"], figures["recall, p95"]
    embedding = figures["embedding with tokens to without"]
    memory = sum(
        kept[f"{name} in memory"]["ours"] for name in ("tokens", "turns", "names", "times")
    )
    return wrapped(
        f"A recall from {recall['rows']:,} turns takes {recall['ours'] / 1000:.0f} ms at the "
        f"median and {slow['ours']:.0f} ms at the 95th percentile, the question's own embedding "
        f"included: {recall['ratio']:.1f} times the plain hybrid one. Embedding turns takes "
        f"{embedding['ratio']:.2f} times what it takes without their words' vectors, and of a "
        f"turn of LoCoMo {memory / 1000:.1f} kB stay in memory. Command: `{record['command']}`."
    )


def sessions(record: Mapping[str, Any]) -> str:
    """Return the figures for whole sessions, kept of a `results.json` of `locomo-session`."""
    measures = (*MEASURES, "Success@1")
    rows = [
        (
            each.who,
            *("" if value is None else f"{value:.1f}" for value in each.values),
            "",
            each.how,
        )
        for each in SESSIONS
    ]
    alone = record["systems"][-1]["measures"]["Success@1"]["mean"]
    for system in record["systems"]:
        parts = (system["measures"], system["categories"]["adversarial"])
        values = [
            sum(part[each]["mean"] * part[each]["n"] for part in parts)
            / sum(part[each]["n"] for part in parts)
            for each in measures
        ]
        rows.append((f"`{system['name']}`", *(f"{100 * value:.1f}" for value in values), ""))
    return (
        wrapped(
            "**LoCoMo, whole sessions**, adversarial questions among them; some 27 candidates a "
            "question. By `by-hand` and `conversation` they are stored as turns. Without "
            f"adversarial questions `conversation` has {100 * alone:.1f} in Success@1. Command: "
            f"`{record['command']}`."
        )
        + "\n\n"
        + table(("", *measures, ""), rows)
    )


def neutral_part() -> str:
    """Return how the neutral profile does beside its arms."""
    record = run("quality-neutral")
    names = list(record["sets"])
    documents = [name for name in names if record["sets"][name]["documents"]]
    less = record["neutral_less_on_average_over_documents"]
    differences = [
        (
            f"`{rival}`",
            *(told(record["neutral_less"][name][rival]) for name in documents),
            told(mean),
        )
        for rival, mean in less.items()
    ]
    measures = ", ".join(
        f"{name} {each['measure']} ({each['questions']:,})" for name, each in record["sets"].items()
    )
    return "\n".join(
        [
            wrapped(f"**`neutral` beside its arms.** Measures and questions: {measures}."),
            "",
            rows_by_set(record, record["systems"]),
            "",
            table(("`neutral` less", *documents, "on average"), differences),
            "",
            wrapped(f"Command: `{record['command']}`; other ways stand below."),
        ]
    )


def fusion_rules_part() -> str:
    """Return what other evidence of how far an arm is to be trusted would give."""
    record = run("quality-neutral")
    return rows_by_set(record, record["rules"])


def rows_by_set(record: Mapping[str, Any], rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return a table of means, one column a set."""
    head = ("", *record["sets"], "documents", "all")
    said = {name: f"{name}: {meant}" for name, meant in record["said"].items()}
    return table(
        head,
        (
            (said.get(name, f"`{name}`"), *(f"{row[each]:.1f}" for each in head[1:]))
            for name, row in rows.items()
        ),
    )
