"""What the README says of how well all of it does: a figure or two of each committed run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from committed import figure, run, table
from tables_dreams import best_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["headline_table"]

Row = tuple[str, str, str]


def headline_table() -> str:
    """Return what was measured, ours and what stands beside it."""
    rows = [*of_conversations(), *of_documents(), *of_dreams(), *of_speed(), *of_the_server()]
    return table(("measured", "here", "beside it"), rows)


def of_conversations() -> Iterator[Row]:
    """Yield how often one of the turns that answer is among the first ten."""
    record = run("quality-conversation")
    systems, ours = record["systems"], record["systems"]["conversation"]
    value, (low, high) = (ours[each]["recall_any@10"] for each in ("headline", "interval"))
    beside = ", ".join(
        f"`{name}` {systems[name]['headline']['recall_any@10']:.1f}"
        for name in ("neutral", "bm25", "dense")
    )
    yield (
        f"LoCoMo's turns, {record['data']['headline']:,} questions: `recall_any@10`",
        f"`conversation` {value:.1f} [{low:.1f}, {high:.1f}]",
        beside,
    )


def of_documents() -> Iterator[Row]:
    """Yield how well documents are found where nothing is learned."""
    record = run("quality-neutral")
    found = {name: each["SciFact"] for name, each in record["systems"].items()}
    beside = ", ".join(f"`{name}` {found[name]:.1f}" for name in ("bm25", "dense", "rrf"))
    yield "SciFact: nDCG@10", f"`neutral` {found['neutral']:.1f}", beside


def of_dreams() -> Iterator[Row]:
    """Yield what dreams are worth beside the best of what does as much without a look."""
    results = run("consolidation")
    means = {each["name"]: each["measures"] for each in results["systems"]}

    def of(system: str, *measures: str) -> str:
        return ", ".join(shown(each, means[system][each]["mean"]) for each in measures)

    def best(system: str, measure: str) -> str:
        nulls = [
            each
            for each in results["benchmark"]["beside_nulls"]
            if each["measure"] == measure and each["system"] == system
        ]
        name = str((best_of(nulls, measure) or {})["null"])
        return f"the best of {len(nulls)} nulls, `{name}`, {of(name, measure)}"

    def of_words(told: str, ending: str) -> Iterator[Row]:
        merged = tuple(f"{each}{ending}" for each in ("merge_precision", "merge_recall"))
        same, stale = of("cosine_same_recall", *merged), f"stale@1{ending}"
        yield (
            f"a made-up world, told {told}, what is merged: precision, recall",
            of("dream", *merged),
            f"above a cosine of 0.9: {of('cosine_90', *merged)}; of one that finds as many: {same}",
        )
        yield (
            "the same, questions whose first hit no longer holds: `stale@1`, less is better",
            of("dream", stale),
            f"without a dream {of('no_dream', stale)}; {best('dream', stale)}",
        )

    yield from of_words("plainly", "")
    kept, lift = "retention@50", "hebbian_lift"
    yield (
        "the same, what still holds and is found, at half the memories",
        of("dream", kept),
        best("dream", kept),
    )
    yield (
        f"the same, what learned links find, and no word or meaning does: `{lift}`",
        of("hebbian", lift),
        f"the same links shuffled {of('shuffled_hebbian', lift)}; {best('hebbian', lift)}",
    )
    yield from of_words("freely", ".reworded")


def of_speed() -> Iterator[Row]:
    """Yield how long a recall and a dream take."""
    found = run("bench-retrieval")["figures"]
    rows = max(each["rows"] for each in found)
    told = {each["name"]: each for each in found if each["rows"] == rows}
    bare = told["hybrid recall, k = 10, against its bare parts: p50"]
    peers = [each for name, each in told.items() if name.startswith("p50 against")]
    quickest = min(peers, key=lambda each: float(each["floor"]))
    who = quickest["name"].removeprefix("p50 against ").partition(" (")[0]
    yield (
        f"a hybrid recall from {rows:,} memories, the vector given: median",
        milliseconds(bare),
        f"FAISS, bm25s and SQLite by themselves {milliseconds(bare, 'floor')}",
    )
    yield (
        "the same beside the quickest of other engines",
        milliseconds(quickest),
        f"{who} {milliseconds(quickest, 'floor')}",
    )
    dream = next(each for each in run("bench-dreaming")["figures"] if each["floor"] is None)
    yield f"{dream['name']} of {dream['rows']:,} memories", figure(dream["ours"], dream["unit"]), ""


def of_the_server() -> Iterator[Row]:
    """Yield how many searches a second are answered over HTTP."""
    searches = run("bench-serve")["figures"][0]
    yield (
        "searches a second over HTTP, all checks on, by one process",
        figure(searches["ours"]),
        f"what engine and empty route allow together {figure(searches['floor'])}",
    )


def milliseconds(each: Mapping[str, Any], which: str = "ours") -> str:
    """Return a figure that was measured in microseconds."""
    return figure(each[which] / 1000, "ms")
