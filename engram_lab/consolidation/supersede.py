"""The step "supersede": where a newer statement says otherwise, the validity of the older ends."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

from engram_lab.consolidation.claims import Claim, claims
from engram_lab.consolidation.merge.candidates import eligible, near_pairs
from engram_lab.consolidation.merge.statements import read
from engram_lab.consolidation.step import STEPS
from engram_lab.core.dreams import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["CONTRADICTS", "SUPERSEDES", "Supersede"]

SUPERSEDES: Final = "supersedes"
CONTRADICTS: Final = "contradicts"
_NAME: Final = "supersede"
_MOST_CHARS: Final = 600
_PAST_DATE: Final = 0.4


@STEPS.register(_NAME)
def _of(settings: DreamSettings) -> Supersede:
    return Supersede.of(settings)


class _Told(NamedTuple):
    """A claim as one memory makes it at a moment, in seconds since 1970."""

    moment: float
    row: int
    claim: Claim


class _Found(NamedTuple):
    """That one row says otherwise than another, which is older."""

    sure: float
    newer: int
    older: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Supersede:
    """Finds what a later statement changed, by what both claim; see `claims`.

    When something began to hold, or happened, decides what is newer: `valid_from`, else `event_at`,
    else when it was recorded. So what is told late of an earlier time is closed at once. The older
    one gets `valid_to`, where the newer began, and a link `supersedes` from the newer, its
    confidence as weight; nothing is hidden. Protected ones, doubtful ones and those of the same
    moment are linked `contradicts` alone.

    Compared are the memories in focus with one another, by their claims, and with those that are
    near them by meaning.

    Attributes:
        cosine: Least cosine of a neighbour that is read.
        near: How many nearest are read.
        confidence: Least confidence at which validity is closed.
        doubtful: Least confidence at which a contradiction is linked.
    """

    cosine: float = 0.5
    near: int = 16
    confidence: float = 0.7
    doubtful: float = 0.5

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return the step that settings ask for."""
        return cls(
            cosine=settings.supersede_cosine,
            near=settings.supersede_near,
            confidence=settings.supersede_confidence,
            doubtful=settings.supersede_doubtful,
        )

    @property
    def name(self) -> str:
        """Its registered name."""
        return _NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return asdict(self)

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        """Return what is closed and linked, by rising key of the older."""
        rows = self._rows(view, scene)
        groups = _grouped(view, rows)
        moments = _moments(view)
        superseded: dict[int, _Found] = {}
        doubted: dict[tuple[int, int], _Found] = {}
        for group in groups:
            for found in _changes(group):
                same_time = moments[found.newer] == moments[found.older]
                if found.sure >= self.confidence and not same_time:
                    known = superseded.get(found.older)
                    if known is None or _before(found, known, moments):
                        superseded[found.older] = found
                elif found.sure >= self.doubtful:
                    doubted[found.newer, found.older] = found
        yield from _planned(view, scene, superseded, doubted, moments)

    def _rows(self, view: View, scene: Scene) -> list[int]:
        """Return the rows that are read: those in focus, and what is near them."""
        may = eligible(view, scene.now_s, closed=True) & (view.columns.chars <= _MOST_CHARS)
        focus = view.rows(scene.focus)
        focus = focus[focus >= 0]
        chosen = np.zeros(len(view), np.bool_)
        chosen[focus] = True
        if not (may & ~chosen).any():
            return np.flatnonzero(may & chosen).tolist()  # all are read: none need be looked for
        for pair in near_pairs(
            view, scene, may, cosine=self.cosine, near=self.near, widest=self.near
        ):
            chosen[list(pair)] = True
        return np.flatnonzero(may & chosen).tolist()


def _moments(view: View) -> NDArray[np.float64]:
    """Return from when on each holds, in seconds since 1970, float64 [n]."""
    columns = view.columns
    told = np.where(np.isnan(columns.event_at), columns.created_at, columns.event_at)
    return np.where(np.isnan(columns.valid_from), told, columns.valid_from)


def _grouped(view: View, rows: list[int]) -> list[list[_Told]]:
    """Return the claims of rows that are of one key and scope, oldest first, where two differ."""
    moments, scopes = _moments(view), view.columns.scopes
    groups: dict[tuple[object, ...], list[_Told]] = {}
    for row, text in zip(rows, view.texts(np.array(rows, np.int64)) if rows else (), strict=True):
        for claim in claims(read(text)):
            told = _Told(float(moments[row]), row, claim)
            groups.setdefault((scopes[row], *claim.key), []).append(told)
    return [
        sorted(group, key=lambda each: (each.moment, each.row))
        for group in groups.values()
        if len({each.claim.value for each in group}) > 1
    ]


def _changes(group: list[_Told]) -> Iterator[_Found]:
    """Yield for each the next one that says otherwise."""
    following: _Told | None = None
    after: list[_Told | None] = [None] * len(group)
    for at in range(len(group) - 2, -1, -1):
        if group[at].claim.value != group[at + 1].claim.value:
            following = group[at + 1]
        after[at] = following
    for here, there in zip(group, after, strict=True):
        if there is not None:
            sure = there.claim.sure  # that it tells of a change is the newer one's to say
            if here.claim.key[0] not in {"is", "where"}:
                sure = min(sure, here.claim.sure)
            if _was_over(here, there.moment):
                sure = min(sure, _PAST_DATE)
            yield _Found(sure, there.row, here.row)


def _was_over(told: _Told, moment: float) -> bool:
    """Tell whether the dates of a claim had passed by a moment: then another date is another day's.

    A date without a year is of the year in which it was told.
    """
    if told.claim.key[0] not in {"figure", "of"}:
        return False
    figures = told.claim.value if told.claim.key[0] == "figure" else told.claim.value[1]
    if not isinstance(figures, tuple) or len(figures) < 2 or not figures[1]:  # noqa: PLR2004
        return False
    told_in = datetime.fromtimestamp(told.moment, UTC).year
    last = max((year or told_in, month or 12, day or 31) for year, month, day in figures[1])
    then = datetime.fromtimestamp(moment, UTC)
    ahead = last >= (datetime.fromtimestamp(told.moment, UTC).timetuple()[:3])
    return ahead and last < (then.year, then.month, then.day)


def _before(one: _Found, other: _Found, moments: NDArray[np.float64]) -> bool:
    """Tell whether the first is the better reason: the earlier change, then the surer one."""
    return (moments[one.newer], -one.sure, one.newer) < (
        moments[other.newer],
        -other.sure,
        other.newer,
    )


def _planned(
    view: View,
    scene: Scene,
    superseded: Mapping[int, _Found],
    doubted: Mapping[tuple[int, int], _Found],
    moments: NDArray[np.float64],
) -> Iterator[Change]:
    rows = sorted({*superseded, *(row for pair in doubted for row in pair)})
    if not rows:
        return
    linked, closed_by_dream = _links(view, rows)
    for older, found in sorted(superseded.items()):
        if view.protected[older]:
            if (found.newer, older, CONTRADICTS) not in linked:
                yield _link(view, scene, CONTRADICTS, found)
            continue
        end = _end(view, older, moments[found.newer], shorten=older in closed_by_dream)
        if end is not None:
            yield Change(
                step=_NAME,
                action="update",
                id=view.columns.ids[older],
                fields={"valid_to": end},
                reason=f"a later memory says otherwise ({found.sure:.2f})",
                sources=(view.columns.ids[found.newer],),
                seen=int(view.columns.version[older]),
            )
        if (found.newer, older, SUPERSEDES) not in linked:
            yield _link(view, scene, SUPERSEDES, found)
    for (newer, older), found in sorted(doubted.items()):
        known = any(
            (*ends, kind) in linked
            for ends in ((newer, older), (older, newer))
            for kind in (CONTRADICTS, SUPERSEDES)
        )
        if not known and older not in superseded:
            yield _link(view, scene, CONTRADICTS, found)


def _end(view: View, older: int, moment: float, *, shorten: bool) -> datetime | None:
    """Return where validity should end, None where it is as it should be.

    An end that somebody else set stays; one that a dream set moves forward where something in
    between became known.
    """
    known = float(view.columns.valid_to[older])
    if not math.isnan(known) and not (shorten and moment < known):
        return None
    return datetime.fromtimestamp(moment, UTC)


def _links(view: View, rows: list[int]) -> tuple[set[tuple[int, int, str]], set[int]]:
    """Return which rows are linked how, and which a dream has closed."""
    keys = view.columns.keys[np.array(rows, np.int64)]
    links = view.links(keys, types=(SUPERSEDES, CONTRADICTS))
    linked: set[tuple[int, int, str]] = set()
    closed: set[int] = set()
    ends = zip(view.rows(links.from_keys).tolist(), view.rows(links.to_keys).tolist(), strict=True)
    for (one, other), kind, source in zip(ends, links.types, links.sources, strict=True):
        linked.add((one, other, kind))
        if kind == SUPERSEDES and source == f"dream:{_NAME}":
            closed.add(other)
    return linked, closed


def _link(view: View, scene: Scene, kind: str, found: _Found) -> Change:
    newer, older = view.columns.ids[found.newer], view.columns.ids[found.older]
    return Change(
        step=_NAME,
        action="link",
        id=scene.new_id(_NAME, kind, newer, older),
        fields={
            "from_id": newer,
            "to_id": older,
            "type": kind,
            "weight": round(found.sure, 6),
            "source": f"dream:{_NAME}",
        },
        reason="they give one attribute different values",
        sources=(newer, older),
    )
