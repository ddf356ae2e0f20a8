"""From ranked turns to ranked sessions: a session is as good as the best that was said in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = [
    "DEFAULT_SCORE",
    "Group",
    "GroupScore",
    "best",
    "by_session",
    "discounted",
    "group_score",
    "mean_of_best",
    "soft_best",
]

GroupScore = Callable[["NDArray[np.float64]", float], float]
"""From the scores of the members of a group, float64 [n], falling, and the least score of all that
was ranked, to the score of the group. A law: adding a constant to all scores changes no order."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group(Generic[T]):
    """A session that was found.

    Attributes:
        session: Its id.
        score: What its turns come to.
        members: The turns that made it, each with its score, best first.
    """

    session: str
    score: float
    members: tuple[tuple[T, float], ...]


def by_session(
    ranked: Iterable[tuple[T, float]],
    session_of: Callable[[T], str | None],
    *,
    score: GroupScore | None = None,
) -> list[Group[T]]:
    """Return the sessions of ranked turns, best first.

    Equal sessions stand in the order of their best turns.

    Args:
        ranked: Turns with their scores, in any order; of hits, `(hit, hit.score)` for each, and
            `hit.memory.session_id` is the session.
        session_of: From a turn to its session; None where it lies in none, which leaves it out.
        score: How turns make a session; else `best`.

    Raises:
        InvalidInputError: A score is not finite.
    """
    made = best if score is None else score
    found = sorted(ranked, key=lambda each: -each[1])
    if not all(np.isfinite(value) for _, value in found):
        raise InvalidInputError("a turn has a score that is not finite: give numbers alone")
    members: dict[str, list[tuple[T, float]]] = {}
    for turn, value in found:
        session = session_of(turn)
        if session is not None:
            members.setdefault(session, []).append((turn, value))
    least = found[-1][1] if found else 0.0
    groups = [
        Group(
            session=session,
            score=float(made(np.array([value for _, value in turns]), least)),
            members=tuple(turns),
        )
        for session, turns in members.items()
    ]
    return sorted(groups, key=lambda each: -each.score)


def best(scores: NDArray[np.float64], least: float) -> float:  # noqa: ARG001 - of the best alone
    """Return the score of the best member."""
    return float(scores[0])


def mean_of_best(count: float) -> GroupScore:
    """Return the rule of the mean of the best `count` members; one that is missing has the least.

    Raises:
        InvalidInputError: `count` is no whole number from 1.
    """
    if not (count >= 1 and float(count).is_integer()):
        raise InvalidInputError(f"a mean of {count} scores is none: give a whole number from 1")
    size = int(count)

    def mean(scores: NDArray[np.float64], least: float) -> float:
        known = scores[:size]
        return float((known.sum() + (size - len(known)) * least) / size)

    return mean


def soft_best(temperature: float) -> GroupScore:
    """Return the rule t log sum_i exp(s_i / t): the best member for t near 0, all of them for more.

    Where scores are log-odds of a member to answer and few do, at t = 1 it is the log-odds of the
    whole group up to a constant: the probabilities of members are added.

    Args:
        temperature: t, above 0, in the unit of the scores.

    Raises:
        InvalidInputError: It is not above 0.
    """
    if not 0 < temperature < np.inf:
        raise InvalidInputError(f"a temperature of {temperature} is no number above 0")

    def soft(scores: NDArray[np.float64], least: float) -> float:  # noqa: ARG001 - shift is free
        # Taken off and added again, so that nothing overflows.
        shifted = np.exp((scores - scores[0]) / temperature)
        return float(scores[0] + temperature * np.log(shifted.sum()))

    return soft


def discounted(share: float) -> GroupScore:
    """Return the rule sum_i share^i (s_i - least), i from 0: each next member counts so much less.

    Args:
        share: From 0, which leaves the best alone, to 1, which adds all.

    Raises:
        InvalidInputError: It is out of these bounds.
    """
    if not 0 <= share <= 1:
        raise InvalidInputError(f"a share of {share} is not between 0 and 1")

    def summed(scores: NDArray[np.float64], least: float) -> float:
        return float(((scores - least) * share ** np.arange(len(scores))).sum())

    return summed


_MAKERS: Final[Mapping[str, Callable[[float], GroupScore]]] = MappingProxyType(
    {"discounted": discounted, "mean": mean_of_best, "soft": soft_best}
)

DEFAULT_SCORE: Final = "discounted@0.3"
"""It depends on no unit of the scores, and was within a point of the best rule everywhere: on
LoCoMo's sessions, by turns that are ranked by fusion, by neighbours, or by learned weights."""


def group_score(name: str) -> GroupScore:
    """Return the rule of a name: `best`, `mean@2`, `soft@0.75` or `discounted@0.3`.

    Raises:
        InvalidInputError: There is no such rule, or its number is out of bounds.
    """
    kind, at, number = name.partition("@")
    if kind == "best" and not at:
        return best
    try:
        return _MAKERS[kind](float(number))
    except (KeyError, ValueError) as error:
        said = f": {error}" if isinstance(error, InvalidInputError) else ""
        raise InvalidInputError(
            f"{shown(name)} is no way to score a group{said}: choose best, or mean, soft or "
            "discounted with a number, such as discounted@0.3"
        ) from None
