"""The standard measures: those of ir_measures, computed by it and by trec_eval's own code.

A measure of ranking depends on where the judged memories stand, not on what they are called. So the
hits are handed over as ranks: a hit at rank r is called `r`, whoever it is, and judgements name
what was found by its rank. All queries share one mapping from names to falling scores for each
depth, and none is built for each of millions of hits. Ties cannot arise on the way.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.evaluation.measures.measure import Flags, Judged

__all__ = ["StandardMeasure", "names_of_standard", "parse_standard", "standard_values"]

_FORM: Final = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<given>.*)\))?\s*(?:@\s*(?P<at>.+?))?\s*")

_PROVIDERS: Final = ("pytrec_eval", "judged", "msmarco")
"""Which parts of ir_measures compute: trec_eval's code, and plain Python for what it has not."""

_CHANGING: Final = ("gains", "judged_only")
"""Parameters by which a measure looks at other judgements or hits than the rest."""

_UP_TO_LAST_JUDGED: Final = frozenset(
    {"AP", "Bpref", "IPrec", "P", "R", "RR", "Rprec", "Success", "infAP", "nDCG"}
)
"""Measures that no hit after the last judged one can change."""

_SAYS: Final = {
    "AP": "average precision: the mean of the precisions at the ranks of all that is relevant",
    "Bpref": "how seldom what is judged not relevant stands above what is relevant",
    "IPrec": "the best precision at any rank that reaches this recall",
    "Judged": "share of the first k hits that were judged at all",
    "NumQ": "1 for each query",
    "NumRel": "how many memories are relevant, whatever was found",
    "NumRet": "how many hits there are; with rel=1, how many of them are relevant",
    "P": "share of the first k places that hold a relevant memory",
    "R": "share of the relevant memories that is in the first k hits",
    "RR": "1 / rank of the first relevant memory, 0 where there is none",
    "Rprec": "precision at as many hits as there are relevant memories",
    "SetAP": "precision times recall of all hits",
    "SetF": "harmonic mean of precision and recall of all hits",
    "SetP": "share of all hits that is relevant",
    "SetR": "share of the relevant memories that is among all hits",
    "Success": "1 if at least one relevant memory is in the first k hits, else 0",
    "infAP": "average precision, inferred where not all was judged",
    "nDCG": "gain of the ranking, discounted by log2(rank + 1), over that of the ideal ranking",
}

_WITHOUT_RELEVANT: Final = frozenset({"Judged", "NumQ", "NumRel", "NumRet"})
"""Measures that say something of a query to which nothing is relevant."""


@dataclass(frozen=True, kw_only=True)
class StandardMeasure:
    """A measure of ir_measures.

    Judgements below zero (superseded, forbidden) count as judged and not relevant.

    Attributes:
        name: Its canonical name, such as `nDCG@10` or `P(rel=2)@5`.
        measure: Of ir_measures.
    """

    name: str
    measure: Any = field(compare=False, repr=False)

    @property
    def default(self) -> float | None:
        """What ir_measures declares: 0 for nearly all."""
        return float(self.measure.DEFAULT)

    @property
    def higher_is_better(self) -> bool:
        """True: there is none for which less is better."""
        return True

    @property
    def level(self) -> int:
        """The lowest relevance that counts as relevant."""
        known = self.measure.SUPPORTED_PARAMS
        level = self.measure["rel"] if "rel" in known else 1
        return level if isinstance(level, int) else 1

    @property
    def says(self) -> str:
        """One line on what it is."""
        return _SAYS[self.measure.NAME]

    def values(self, judged: Judged) -> pl.Series:
        """Return the values of each query; null where nothing is relevant to it.

        Every system gets the same there, whatever it does. Counts such as `NumRet` and shares such
        as `Judged@k` are scored all the same.
        """
        return standard_values([self], judged)[0]

    def scored(self, judged: Judged) -> Flags:
        """Return whether the judgements say enough of each query: bool [queries]."""
        rows = judged.judgements
        if self.measure.NAME in _WITHOUT_RELEVANT:
            return judged.count(rows) > 0
        gain = rows["relevance"].clip(0)
        gains = self.measure["gains"] if self.measure.NAME == "nDCG" else None
        if isinstance(gains, dict):
            gain = gain.replace(gains)
        return judged.count(rows.filter(gain >= self.level)) > 0


def names_of_standard() -> tuple[str, ...]:
    """Return what the standard measures are called, without their cut-offs, sorted."""
    ir_measures = _ir_measures()
    known = ir_measures.measures.registry
    supported = {
        each.NAME
        for name in _PROVIDERS
        for each in ir_measures.providers.registry[name].SUPPORTED_MEASURES
    }
    return tuple(sorted(name for name, each in known.items() if each.NAME in supported))


def parse_standard(name: str) -> StandardMeasure:
    """Return the measure of a name such as `nDCG@10`, `MAP` (which is `AP`) or `P(rel=2)@5`.

    Raises:
        InvalidInputError: It is not written so, ir_measures does not know it, a parameter is
            absent or none of its own, or it is not among trec_eval's measures.
    """
    ir_measures = _ir_measures()
    form = _FORM.fullmatch(name)
    known = ir_measures.measures.registry
    if form is None or form["name"] not in known:
        raise InvalidInputError(
            f"there is no standard measure {shown(name)}: write NAME@K, such as nDCG@10, where "
            f"NAME is one of {', '.join(names_of_standard())}"
        )
    given = _arguments(form["given"], name)
    kind = known[form["name"]]
    if form["at"] is not None:
        given[kind.AT_PARAM] = _literal(form["at"], name)
    measure = kind(**given)
    _check_parameters(measure, name)
    registry = ir_measures.providers.registry
    if not any(registry[each].supports(measure) for each in _PROVIDERS):
        raise InvalidInputError(
            f"the measure {shown(name)} is none of trec_eval's with these parameters: "
            f"computed are {', '.join(names_of_standard())}"
        )
    return StandardMeasure(name=repr(measure), measure=measure)


def _check_parameters(measure: Any, name: str) -> None:
    given, known = measure.params, measure.SUPPORTED_PARAMS
    for each in given:
        if each not in known:
            raise InvalidInputError(
                f"the measure {shown(name)} has no parameter {each!r}: it knows {', '.join(known)}"
            )
    for each, info in known.items():
        if info.required and each not in given:
            place = "@k" if each == measure.AT_PARAM else f"({each}=…)"
            raise InvalidInputError(f"the measure {shown(name)} needs its {each}: add {place}")
        if each in given and not info.validate(given[each]):
            raise InvalidInputError(
                f"the {each} of the measure {shown(name)} cannot be {shown(given[each])}"
            )
    for each in ("cutoff", "rel"):
        value = given.get(each, 1)
        if type(value) is not int or value < 1:
            raise InvalidInputError(
                f"the {each} of the measure {shown(name)} is {shown(value)}: "
                "it must be a whole number from 1"
            )


def standard_values(measures: Sequence[StandardMeasure], judged: Judged) -> list[pl.Series]:
    """Return the values of several measures, for which the rankings are handed over once.

    Measures that change the judgements are computed apart: ir_measures lets one that has no gains,
    or counts what is not judged too, ride along with another that has, in an order by chance.
    """
    together: dict[tuple[bool, str], list[StandardMeasure]] = {}
    for each in measures:
        params = each.measure.params
        changes = repr([(name, params[name]) for name in _CHANGING if name in params])
        together.setdefault((each.measure.NAME in _UP_TO_LAST_JUDGED, changes), []).append(each)
    found: dict[StandardMeasure, pl.Series] = {}
    for (short, _), some in together.items():
        found |= _computed(some, judged, short=short)
    return [found[each] for each in measures]


def _computed(
    measures: Sequence[StandardMeasure], judged: Judged, *, short: bool
) -> dict[StandardMeasure, pl.Series]:
    ir_measures = _ir_measures()
    registry = ir_measures.providers.registry
    pipeline = ir_measures.providers.FallbackProvider([registry[each] for each in _PROVIDERS])
    place = {each.measure: at for at, each in enumerate(measures)}
    values = np.zeros((len(measures), len(judged.queries)))
    qrels = _renamed_qrels(judged)
    if qrels:
        for query, measure, value in pipeline.evaluator(list(place), qrels).iter_calc(
            _renamed_run(judged, short=short)
        ):
            values[place[measure], int(query)] = value
    return {
        each: judged.series(values[at], scored=each.scored(judged), default=each.default)
        for at, each in enumerate(measures)
    }


def _renamed_qrels(judged: Judged) -> dict[str, dict[str, int]]:
    """Return the judgements of each query, by its place; what was found is named by its rank."""
    rows = judged.judgements
    names = rows.select(
        pl.coalesce(pl.col("rank").cast(pl.String), pl.format("x{}", pl.int_range(pl.len())))
    ).to_series()
    relevance = rows["relevance"].clip(0).to_list()
    lengths = rows["place"].rle().struct.unnest()
    qrels: dict[str, dict[str, int]] = {}
    named, at = names.to_list(), 0
    for length, place in lengths.iter_rows():
        qrels[str(place)] = dict(
            zip(named[at : at + length], relevance[at : at + length], strict=True)
        )
        at += length
    return qrels


def _renamed_run(judged: Judged, *, short: bool) -> dict[str, Mapping[str, float]]:
    """Return the hits of each query that has any, named by their ranks.

    Args:
        judged: The rankings.
        short: Whether what follows the last judged hit is left out; one hit always stays, so that
            the query does not go missing.
    """
    depths = judged.depths
    if short:
        last = np.ones(len(depths), dtype=np.int64)
        found = judged.judgements.drop_nulls("rank")
        np.maximum.at(last, found["place"].to_numpy(), found["rank"].to_numpy().astype(np.int64))
        depths = np.minimum(depths, last)
    deepest = int(depths.max(initial=0))
    names = [str(rank) for rank in range(1, deepest + 1)]
    scores = [float(-rank) for rank in range(1, deepest + 1)]
    shared: dict[int, Mapping[str, float]] = {}
    run: dict[str, Mapping[str, float]] = {}
    for place, depth in enumerate(depths.tolist()):
        if depth:
            if depth not in shared:
                shared[depth] = dict(zip(names[:depth], scores[:depth], strict=True))
            run[str(place)] = shared[depth]
    return run


def _arguments(given: str | None, name: str) -> dict[str, Any]:
    """Return the parameters in the brackets of a name, such as `rel=2,judged_only=True`."""
    if not given or not given.strip():
        return {}
    wrong = InvalidInputError(
        f"the measure {shown(name)} is not written as Name(parameter=value)@cutoff"
    )
    try:
        call = ast.parse(f"f({given})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise wrong
        found = {}
        for each in call.keywords:
            if each.arg is None:
                raise wrong
            found[each.arg] = ast.literal_eval(each.value)
    except (SyntaxError, ValueError) as error:
        raise wrong from error
    return found


def _literal(text: str, name: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise InvalidInputError(
            f"the cut-off of {shown(name)} must be a number, such as 10"
        ) from error


def _ir_measures() -> Any:
    return optional(
        "ir_measures", package="ir-measures", feature="a standard measure", extra="eval"
    )
