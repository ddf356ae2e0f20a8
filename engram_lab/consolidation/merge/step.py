"""The step "merge": of near-duplicates one stays findable, the others are archived behind it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from engram_lab.consolidation.merge.candidates import eligible, kind_of, near_pairs, same_texts
from engram_lab.consolidation.merge.glance import Glance
from engram_lab.consolidation.merge.groups import stars
from engram_lab.consolidation.merge.judging import DAY_S, is_state, judged
from engram_lab.consolidation.merge.literals import literals
from engram_lab.consolidation.merge.statements import Statement, read
from engram_lab.consolidation.step import STEPS
from engram_lab.core.dreams import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["MERGED_INTO", "Merge"]

MERGED_INTO: Final = "merged_into"
_NAME: Final = "merge"
_COPIES: Final = 0.97
"""So near are copies of one text, which may fill a list of neighbours."""

_APART: Final = (MERGED_INTO, "contradicts", "supersedes")
"""Links between two memories that say that they are not, or not again, to be merged."""


@STEPS.register(_NAME)
def _of(settings: DreamSettings) -> Merge:
    return Merge.of(settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Merge:
    """Finds memories that are the same statement, and lets one stand for them.

    The same to the letter, or near by meaning and, word for word, without any difference that a
    guard knows, of one scope and kind, holding at the same time. The survivor is a protected
    one, else the one that says what most others say, then the one that says most (words with a
    meaning of their own), then the most important, then the oldest. It keeps its words and gets
    tags, metadata that it lacks, the higher importance and the earlier beginning. The others are
    archived and linked `merged_into`, with the score as weight. Where somebody brings one back from
    the archive, that link keeps it from being merged into the same survivor again.

    Two that share a name are also compared by their frames, from a lower cosine on: see `framed`.

    Attributes:
        score: Least likelihood that two are one statement; see `pairs`.
        cosine: Least cosine at which two are compared; without vectors, copies alone are merged.
        named_cosine: The same where they share a name, and are compared by their frames.
        near: How many nearest are compared at first.
        most_chars: Longer ones are merged where they are copies alone.
        turns: Whether turns of conversations are merged too.
    """

    score: float = 0.6
    cosine: float = 0.8
    named_cosine: float = 0.5
    near: int = 24
    most_chars: int = 600
    turns: bool = False

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return the step that settings ask for."""
        return cls(
            score=settings.merge_score,
            cosine=settings.merge_cosine,
            named_cosine=settings.merge_named_cosine,
            near=settings.merge_near,
            most_chars=settings.merge_most_chars,
            turns=settings.merge_turns,
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
        """Return what merges, survivors by rising key."""
        may = eligible(view, scene.now_s, turns=self.turns)
        pairs = self._copies(view, may)
        least = min(self.cosine, self.named_cosine)
        near = near_pairs(
            view,
            scene,
            may,
            cosine=least,
            near=self.near,
            crowded=max(self.cosine, _COPIES),
            glance=Glance(view),
        )
        wanted = self._comparable(view, near, pairs)
        read_of, found = judged(view, scene, wanted, score=self.score, cosine=self.cosine)
        pairs.update(found)
        if not pairs:
            return
        _without_several_days(view, pairs, read_of)
        _without_linked(view, pairs)
        beside = Counter(row for pair in pairs for row in pair)
        order = _order(view, sorted(beside), read_of, beside)
        protected = view.protected

        def may_absorb(survivor: int, other: int) -> bool:  # noqa: ARG001 - whoever it would be
            return not protected[other]

        for survivor, absorbed in sorted(stars(pairs, order, may_absorb).items()):
            yield from _merged(view, scene, survivor, absorbed)

    def _copies(self, view: View, may: NDArray[np.bool_]) -> dict[tuple[int, int], float]:
        """Return the pairs of copies, each with the best one of its group."""
        pairs: dict[tuple[int, int], float] = {}
        for rows in same_texts(view, may):
            for told in _as_written(view, rows):
                best = _order(view, told, {})[0]
                pairs.update({(min(best, row), max(best, row)): 1.0 for row in told if row != best})
        return pairs

    def _comparable(
        self,
        view: View,
        near: Mapping[tuple[int, int], float],
        pairs: Mapping[tuple[int, int], float],
    ) -> dict[tuple[int, int], float]:
        """Return the near pairs whose words are worth reading."""
        columns = view.columns
        short = columns.chars <= self.most_chars
        return {
            (one, other): cosine
            for (one, other), cosine in near.items()
            if (one, other) not in pairs
            and short[one]
            and short[other]
            and kind_of(columns.types[one]) == kind_of(columns.types[other])
            and columns.content_hashes[one] != columns.content_hashes[other]
            and not (view.protected[one] and view.protected[other])
        }


def _as_written(view: View, rows: list[int]) -> Iterator[list[int]]:
    """Yield copies by what they tell of, and by what in them counts to the letter: `Hunter2`."""
    by_letter: dict[tuple[str, ...], list[int]] = {}
    for row, text in zip(rows, view.texts(np.array(rows, np.int64)), strict=True):
        by_letter.setdefault(literals(text), []).append(row)
    for same in by_letter.values():
        yield from _of_one_event(view, same)


def _of_one_event(view: View, rows: list[int]) -> list[list[int]]:
    """Return copies by what they tell of: all, or those of one day where it happened on several."""
    events = view.columns.event_at[rows]
    days = {math.floor(each / DAY_S) for each in events.tolist() if not math.isnan(each)}
    if len(days) < 2 or is_state(read(view.texts(np.array(rows[:1], np.int64))[0])):  # noqa: PLR2004
        return [rows]
    by_day: dict[float, list[int]] = {}
    for row, each in zip(rows, events.tolist(), strict=True):
        by_day.setdefault(-1.0 if math.isnan(each) else each // DAY_S, []).append(row)
    return list(by_day.values())


def _without_several_days(
    view: View, pairs: dict[tuple[int, int], float], told: Mapping[int, Statement]
) -> None:
    """Leave out pairs of what happened on no known day, where it may have been on several."""
    events = view.columns.event_at
    days: dict[int, set[int]] = {}
    loose: list[tuple[int, int]] = []
    for one, other in pairs:
        for row, dated in ((one, other), (other, one)):
            known = row in told and math.isnan(events[row]) and not math.isnan(events[dated])
            if known and not (is_state(told[row]) or (dated in told and is_state(told[dated]))):
                days.setdefault(row, set()).add(math.floor(events[dated] / DAY_S))
                loose.append((one, other))
    for pair in loose:
        if any(len(days.get(row, ())) > 1 for row in pair):
            pairs.pop(pair, None)


def _says(told: Mapping[int, Statement], row: int) -> int:
    return len(told[row].content) if row in told else 0


def _order(
    view: View,
    rows: list[int],
    told: Mapping[int, Statement],
    beside: Mapping[int, int] | None = None,
) -> list[int]:
    """Return rows as survivors, best first; `beside` counts the pairs of each."""
    columns = view.columns
    return sorted(
        rows,
        key=lambda row: (
            not view.protected[row],
            -(beside or {}).get(row, 0),
            -_says(told, row),
            -columns.importance[row],
            columns.created_at[row],
            row,
        ),
    )


def _without_linked(view: View, pairs: dict[tuple[int, int], float]) -> None:
    """Leave out pairs that a link keeps apart."""
    keys = view.columns.keys[np.array(sorted({row for pair in pairs for row in pair}), np.int64)]
    links = view.links(keys, types=_APART)
    ends = zip(view.rows(links.from_keys).tolist(), view.rows(links.to_keys).tolist(), strict=True)
    for one, other in ends:
        pairs.pop((min(one, other), max(one, other)), None)


def _merged(
    view: View, scene: Scene, survivor: int, absorbed: list[tuple[int, float]]
) -> Iterator[Change]:
    columns = view.columns
    id_ = columns.ids[survivor]
    ids = tuple(columns.ids[row] for row, _ in absorbed)
    if not view.protected[survivor] and (
        fields := _inherited(view, survivor, [row for row, _ in absorbed])
    ):
        yield Change(
            step=_NAME,
            action="update",
            id=id_,
            fields=fields,
            reason="it stands for others that say the same",
            sources=ids,
            seen=int(columns.version[survivor]),
        )
    for row, score in absorbed:
        each = columns.ids[row]
        yield Change(
            step=_NAME,
            action="update",
            id=each,
            fields={"lifecycle": "archived"},
            reason=f"another memory says the same ({score:.2f})",
            sources=(id_,),
            seen=int(columns.version[row]),
        )
        yield Change(
            step=_NAME,
            action="link",
            id=scene.new_id(_NAME, each, id_),
            fields={
                "from_id": each,
                "to_id": id_,
                "type": MERGED_INTO,
                "weight": round(score, 6),
                "source": f"dream:{_NAME}",
            },
            reason="the one stands for the other",
            sources=(each, id_),
        )


def _inherited(view: View, survivor: int, absorbed: list[int]) -> dict[str, Any]:
    """Return what the survivor gets of those that it absorbs."""
    columns = view.columns
    fields: dict[str, Any] = {}
    best = float(columns.importance[absorbed].max())
    if best > columns.importance[survivor]:
        fields["importance"] = best
    began = columns.valid_from[survivor]
    if not np.isnan(began):
        others = columns.valid_from[absorbed]
        earliest = float(np.min(others[~np.isnan(others)], initial=began))
        if earliest < began:
            fields["valid_from"] = datetime.fromtimestamp(earliest, UTC)
    own, *others_told = view.details(np.array([survivor, *absorbed], np.int64))
    tags = dict.fromkeys([*own.tags, *(tag for each in others_told for tag in each.tags)])
    if len(tags) > len(own.tags):
        fields["tags"] = tuple(tags)
    metadata = dict(own.metadata)
    for each in others_told:
        metadata = {**each.metadata, **metadata}
    if len(metadata) > len(own.metadata):
        fields["metadata"] = metadata
    return fields
