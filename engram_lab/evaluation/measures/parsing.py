"""Measures by name: `parse_measure("recall_any@10")`, and the door through which one adds more.

A name is that of the measure, and after `@` where it cuts: at so many hits, `@10`, or at so many
tokens, `@tokens=1000`. What is not among ours is asked of ir_measures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, MissingDependencyError, shown
from engram_lab.core.registry import Registry
from engram_lab.evaluation.measures.budget import BudgetRecall
from engram_lab.evaluation.measures.defined import ByQuery, DefinedMeasure
from engram_lab.evaluation.measures.ndcg import LongMemEvalNdcg, RetrievedNdcg
from engram_lab.evaluation.measures.recall import CappedRecall, RecallAll, RecallAny
from engram_lab.evaluation.measures.standard import names_of_standard, parse_standard
from engram_lab.evaluation.measures.unwanted import CurrentAboveStale, ForbiddenHits, StaleHits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.measures.measure import Measure

__all__ = [
    "MEASURES",
    "Family",
    "define",
    "describe",
    "falls",
    "higher_is_better",
    "needs_tokens",
    "parse_measure",
]

_FORM: Final = re.compile(r"(?P<name>[^@\s()]+)(?:@(?:(?P<unit>[a-z]+)=)?(?P<at>[0-9]+))?")


_PART: Final = re.compile(r"(?<=[0-9])\.[a-z_]+$")
"""In the name of a measure of a part what follows that of the whole, as in `stale@1.silent`."""

_FALLING: Final = frozenset(
    {"drift", "near_miss_overmerge", "popular_wrong", "reaccess_log_loss", "wrongly_closed"}
)
"""Measures of which less is better, and that are taken of no ranking: those of `consolidation`."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """A measure before it is known where it cuts.

    Attributes:
        says: One line on what it is.
        cuts: What makes it of a cut-off, by what is cut: `k` hits, written `@10`; `tokens`, written
            `@tokens=1000`. Under an empty name, what makes it where nothing is cut; the number it
            gets does not matter.
    """

    says: str
    cuts: Mapping[str, Callable[[int], Measure]]

    def forms(self, name: str) -> tuple[str, ...]:
        """Return how the measure of this name can be written."""
        shapes = {"": name, "k": f"{name}@k"}
        return tuple(shapes.get(cut, f"{name}@{cut}=n") for cut in self.cuts)


MEASURES: Final[Registry[Family]] = Registry("measure", group="engram_lab.measures")
"""The measures that are ours or were brought by others; the standard ones are not listed."""


def define(
    name: str,
    *,
    says: str,
    cut: bool = True,
    default: float | None = 0.0,
    unjudged: bool = False,
    higher_is_better: bool = True,
) -> Callable[[ByQuery], ByQuery]:
    """Return a decorator that makes a measure of a function of one query.

    The function is given the ids of the hits, best first, the relevance of each judged memory by
    its id, and the cut-off; it returns the value, or None for a query that cannot be scored:

        @define("first_half", says="share of the relevant memories in the first half of k hits")
        def first_half(ranking, judged, k):
            relevant = {memory for memory, relevance in judged.items() if relevance >= 1}
            return len(relevant.intersection(ranking[: k // 2])) / len(relevant)

        parse_measure("first_half@10")

    Args:
        name: Without a cut-off.
        says: One line on what it is.
        cut: Whether a cut-off belongs to its name; if not, the function is given None.
        default: The value of a query that the run does not hold; None leaves it unscored.
        unjudged: Whether a query to which nothing is relevant is scored too.
        higher_is_better: Whether more is better.

    Raises:
        ConflictError: The name is taken.
        InvalidInputError: The name holds white space, brackets or an `@`, or is a standard one.
    """
    form = _FORM.fullmatch(name)
    if form is None or form["at"] is not None:
        raise InvalidInputError(f"a measure cannot be named {shown(name)}: no spaces, (, ) or @")
    if name in _standard():
        raise InvalidInputError(f"{shown(name)} is a standard measure: choose another name")

    def defined(function: ByQuery) -> ByQuery:
        def make(at: int) -> Measure:
            return DefinedMeasure(
                name=f"{name}@{at}" if cut else name,
                function=function,
                k=at if cut else None,
                default=default,
                unjudged=unjudged,
                higher_is_better=higher_is_better,
            )

        MEASURES.add(name, Family(says=says, cuts={"k" if cut else "": make}))
        return function

    return defined


def parse_measure(name: str) -> Measure:
    """Return the measure of a name; `parse_measure(measure.name) == measure`.

    Raises:
        InvalidInputError: There is no such measure, or it does not cut so; the message says which
            name may have been meant.
        MissingDependencyError: It is a standard one, and ir_measures is not installed.
    """
    form = _FORM.fullmatch(name)
    if form is None or form["name"] not in MEASURES.names():
        if _bare(name) not in _standard():
            _refuse(name)
        return parse_standard(name)
    family = MEASURES.get(form["name"])
    cut = form["unit"] or ("" if form["at"] is None else "k")
    if cut not in family.cuts:
        raise InvalidInputError(
            f"the measure {shown(name)} does not cut so: write "
            f"{' or '.join(family.forms(form['name']))}"
        )
    return family.cuts[cut](int(form["at"] or 0))


def describe(name: str) -> str:
    """Return one line on a measure, or on a family of ours by its name alone.

    Raises:
        InvalidInputError: There is no such measure.
    """
    bare = _bare(name)
    if bare in MEASURES.names():
        if bare != name:
            parse_measure(name)
        return MEASURES.get(bare).says
    return parse_standard(name).says


def higher_is_better(name: str) -> bool:
    """Return whether more is better; it is not for `stale@k` and `forbidden@k`.

    Raises:
        InvalidInputError: There is no such measure.
    """
    return bool(getattr(parse_measure(name), "higher_is_better", True))


def falls(name: str) -> bool:
    """Return whether less of a measure is better; of a name that is not known here, more is.

    For what shows or compares figures of anybody's: where it must be known, ask `higher_is_better`.
    No standard measure falls, so that nothing is imported to find out.
    """
    bare = _bare(name)
    if bare not in MEASURES.names():
        return bare.partition(".")[0] in _FALLING
    try:
        return not higher_is_better(_PART.sub("", name))
    except InvalidInputError:  # of ours by its name, and cut as it cannot be
        return False


def needs_tokens(measure: Measure) -> bool:
    """Return whether a measure asks how long the texts are."""
    return bool(getattr(measure, "needs_tokens", False))


def _bare(name: str) -> str:
    """Return a name without its parameters and cut-off."""
    return re.split(r"[@(]", name, maxsplit=1)[0].strip()


def _standard() -> Sequence[str]:
    try:
        return names_of_standard()
    except MissingDependencyError:
        return ()


def _refuse(name: str) -> None:
    """Refuse an unknown name, with the nearest known one."""
    bare = _bare(name)
    known = (*MEASURES.names(), *_standard())
    lower = {each.lower(): each for each in known}
    close = [lower[each] for each in get_close_matches(bare.lower(), lower, n=1)]
    if not close:
        names_of_standard()  # without ir_measures, this is what may be missing
    hint = f" (did you mean {close[0] + name[len(bare) :]!r}?)" if close else ""
    raise InvalidInputError(
        f"there is no measure {shown(name)}{hint}: known are {', '.join(known)}, "
        "most with @k, such as nDCG@10"
    )


def _standard_recall(at: int) -> Measure:
    return parse_standard(f"R@{at}")


for _name, _family in {
    "recall_any": Family(
        says="1 if at least one relevant memory was found, else 0",
        cuts={
            "k": lambda at: RecallAny(k=at),
            "tokens": lambda at: BudgetRecall(tokens=at, of="recall_any"),
        },
    ),
    "recall_all": Family(
        says="1 if every relevant memory was found, else 0",
        cuts={
            "k": lambda at: RecallAll(k=at),
            "tokens": lambda at: BudgetRecall(tokens=at, of="recall_all"),
        },
    ),
    "recall": Family(
        says="share of the relevant memories that was found; at k hits it is R@k",
        cuts={
            "k": _standard_recall,
            "tokens": lambda at: BudgetRecall(tokens=at, of="recall"),
        },
    ),
    "R_cap": Family(
        says="share of the relevant memories that k places can hold",
        cuts={"k": lambda at: CappedRecall(k=at)},
    ),
    "ndcg_longmemeval": Family(
        says="LongMemEval's own nDCG, in which ranks 1 and 2 weigh the same",
        cuts={"k": lambda at: LongMemEvalNdcg(k=at)},
    ),
    "ndcg_mempalace": Family(
        says="nDCG against the ideal order of what was found: blind to what is missing",
        cuts={"k": lambda at: RetrievedNdcg(k=at)},
    ),
    "stale": Family(
        says="superseded memories in the first k hits; less is better",
        cuts={"k": lambda at: StaleHits(k=at)},
    ),
    "forbidden": Family(
        says="memories in the first k hits that must not be shown; less is better",
        cuts={"k": lambda at: ForbiddenHits(k=at)},
    ),
    "current_above_stale": Family(
        says="1 if what answers now was found above all that it superseded, else 0",
        cuts={"": lambda _: CurrentAboveStale()},
    ),
}.items():
    MEASURES.add(_name, _family)
