"""Protocols by name, and one run under all the conventions that recall is published under.

A figure means little without its convention: of one ranking of LoCoMo's sessions, `recall_any@5` is
9 points above `recall_all@5`, which is more than most systems differ by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.scoring import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.runs.run import Run

__all__ = [
    "CONVENTIONS",
    "CROSSWALK",
    "PROTOCOLS",
    "Convention",
    "EvaluationProtocol",
    "Judged",
    "crosswalk",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationProtocol:
    """What is asked of which memories, and which figures are published of it.

    Attributes:
        id: Its name.
        title: One line.
        dataset: The id of a manifest.
        options: How the data are read.
        measures: What is published under this protocol.
        apart: Categories that its figures leave out.
        source: Whose it is.
    """

    id: str
    title: str
    dataset: str
    options: Mapping[str, str]
    measures: tuple[str, ...]
    source: str
    apart: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True, slots=True)
class Convention:
    """A way of counting what was found.

    Attributes:
        measure: Its name here, `@k` standing for a cut-off.
        says: What it counts.
        published: What others call it, and where.
    """

    measure: str
    says: str
    published: str

    def at(self, k: int) -> str:
        """Return the name of the measure that cuts at k hits."""
        return self.measure.replace("@k", f"@{k}")


CONVENTIONS: Final = (
    Convention(
        measure="recall_any@k",
        says="questions some of whose evidence was found",
        published="recall_any@k of LongMemEval, hit rate, Success@k; most figures called R@k",
    ),
    Convention(
        measure="recall_all@k",
        says="questions all of whose evidence was found",
        published="recall_all@k of LongMemEval, which its authors report",
    ),
    Convention(
        measure="R@k",
        says="share of the evidence that was found",
        published="recall of information retrieval, and of the LoCoMo paper",
    ),
    Convention(
        measure="R_cap@k",
        says="share of the evidence that was found, of as much as k places hold",
        published="capped recall of BEIR, and of LMEB in MTEB",
    ),
    Convention(
        measure="nDCG@k",
        says="evidence found, discounted by its rank",
        published="nDCG of information retrieval, BEIR and MTEB",
    ),
    Convention(
        measure="ndcg_longmemeval@k",
        says="the same, ranks 1 and 2 weighing alike",
        published="ndcg_any@k of LongMemEval",
    ),
    Convention(
        measure="ndcg_mempalace@k",
        says="the same, over the best order of what was found",
        published="NDCG@k of MemPalace, and of MADial-Bench",
    ),
)
"""The conventions that figures of memory are published under; `@k` stands for a cut-off."""

_BOTH: Final = ("recall_any@5", "recall_all@5", "R@5", "recall_any@10", "recall_all@10", "R@10")
_OFFICIAL: Final = tuple(
    f"{name}@{k}" for k in (5, 10) for name in ("recall_all", "ndcg_longmemeval")
)

PROTOCOLS: Final[Mapping[str, EvaluationProtocol]] = {
    each.id: each
    for each in (
        EvaluationProtocol(
            id="locomo-audit-corrected",
            title="LoCoMo, turns, with a third party's correction of the key",
            dataset="locomo",
            options={"unit": "turn", "key": "corrected"},
            measures=_BOTH,
            apart=("adversarial",),
            source="the evidence of locomo10_corrected.json, after an audit of the published key",
        ),
        EvaluationProtocol(
            id="locomo-session",
            title="LoCoMo, sessions, categories 1 to 4",
            dataset="locomo",
            options={"unit": "session"},
            measures=_BOTH,
            apart=("adversarial",),
            source="Maharana et al. (ACL 2024); figures of products are mostly of this unit",
        ),
        EvaluationProtocol(
            id="locomo-turn",
            title="LoCoMo, turns, categories 1 to 4",
            dataset="locomo",
            options={"unit": "turn"},
            measures=_BOTH,
            apart=("adversarial",),
            source="Maharana et al. (ACL 2024), whose unit of evidence is the turn",
        ),
        EvaluationProtocol(
            id="longmemeval-any-500",
            title="LongMemEval S, sessions, all questions",
            dataset="longmemeval-s",
            options={"protocol": "any-500"},
            measures=("recall_any@5", "recall_any@10", "ndcg_mempalace@10"),
            source="figures published over 500 questions",
        ),
        EvaluationProtocol(
            id="longmemeval-official",
            title="LongMemEval S, sessions, as its authors evaluate",
            dataset="longmemeval-s",
            options={"protocol": "official"},
            measures=_OFFICIAL,
            source="Wu et al. (ICLR 2025), src/evaluation/print_retrieval_metrics.py",
        ),
        EvaluationProtocol(
            id="longmemeval-user-evidence",
            title="LongMemEval S, sessions, questions that the user's own words answer",
            dataset="longmemeval-s",
            options={"protocol": "user-evidence"},
            measures=_OFFICIAL,
            source="Wu et al. (ICLR 2025), src/retrieval/run_retrieval.py",
        ),
    )
}
"""The protocols that have a name, by it."""

CROSSWALK: Final = pl.Schema(
    {
        "questions": pl.String,
        "measure": pl.String,
        "mean": pl.Float64,
        "n": pl.UInt32,
        "unscored": pl.UInt32,
        "says": pl.String,
        "published": pl.String,
    }
)
"""One run under each convention. `questions` is `all`, or which are left out: `without x`."""


class Judged(Protocol):
    """Questions and what answers them: a `Dataset`, or judgements alone."""

    @property
    def queries(self) -> pl.DataFrame:
        """At least the columns `id` and `category` of `datasets.dataset.QUERIES`."""
        ...

    @property
    def qrels(self) -> pl.DataFrame:
        """See `datasets.dataset.QRELS`."""
        ...


def crosswalk(
    run: Run, dataset: Judged, *, apart: Sequence[str] = (), cuts: Sequence[int] = (5, 10)
) -> pl.DataFrame:
    """Return what one run scores under each convention, side by side.

    Args:
        run: What is judged.
        dataset: What it was asked.
        apart: Categories that some figures leave out; each mean is given with and without them.
        cuts: How many hits count.

    Returns:
        See `CROSSWALK`; by questions, cut-off and convention. A mean of no question is null.

    Raises:
        InvalidInputError: No question is of a category that is set apart, or there is no cut-off.
        InvalidRunError: The run answers none of the questions.
    """
    known = set(dataset.queries["category"].drop_nulls())
    if strange := [each for each in apart if each not in known]:
        raise InvalidInputError(
            f"no question is of the category {shown(strange[0])}: "
            f"there are {', '.join(sorted(known)) or 'no categories'}"
        )
    if not cuts:
        raise InvalidInputError("a crosswalk needs a cut-off: give 10, or several")
    measures = [parse_measure(each.at(k)) for k in dict.fromkeys(cuts) for each in CONVENTIONS]
    told = {each.at(k): each for k in cuts for each in CONVENTIONS}
    ids = dataset.queries["id"].to_list()
    values = score(run, dataset.qrels, measures, queries=ids).join(
        dataset.queries.select("id", "category"), left_on="query_id", right_on="id"
    )
    groups = {"all": values}
    if apart:
        kept = ~pl.col("category").is_in(list(apart)).fill_null(value=False)
        groups[f"without {', '.join(apart)}"] = values.filter(kept)
    rows: list[dict[str, Any]] = []
    for questions, group in groups.items():
        for measure in measures:
            column = group[measure.name].fill_nan(None)
            rows.append(
                {
                    "questions": questions,
                    "measure": measure.name,
                    "mean": column.mean(),
                    "n": len(column) - column.null_count(),
                    "unscored": column.null_count(),
                    "says": told[measure.name].says,
                    "published": told[measure.name].published,
                }
            )
    return pl.DataFrame(rows, schema=CROSSWALK)
