"""Links as steps from memory to memory, and how far one gets by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engram_lab.core.types import Direction, Link, Memory

__all__ = ["Around", "Reached", "against", "between", "noted", "reach", "steps_of"]


class Around(Protocol):
    """Gives the links of memories."""

    def __call__(self, ids: Sequence[str], /) -> list[Link]:
        """Return the links that may be walked from any of them."""
        ...


class Reached(NamedTuple):
    """How a memory was first reached.

    Attributes:
        depth: Over so many links, and not over fewer.
        weight: The greatest product of weights over so many links, 0 to 1.
        link: The last of them; None for where the walk began.
    """

    depth: int
    weight: float
    link: Link | None


def reach(
    starts: Sequence[str],
    around: Around,
    *,
    depth: int,
    direction: Direction = "both",
    most: int | None = None,
) -> dict[str, Reached]:
    """Return what is reached over at most `depth` links, nearest first, each once.

    Within a depth the heaviest come first, ties by id.

    Args:
        starts: Where to begin.
        around: Gives the links of memories.
        depth: How many links.
        direction: Which way links may be walked.
        most: Go no further once so many were reached, the starts included.
    """
    found = dict.fromkeys(starts, Reached(0, 1.0, None))
    edge: Sequence[str] = tuple(found)
    for far in range(1, depth + 1):
        fresh: dict[str, Reached] = {}
        here = set(edge)
        for link in around(edge):
            for near, other in _ends(link, direction):
                if near in here and other not in found:
                    way = Reached(far, found[near].weight * link.weight, link)
                    if other not in fresh or _rank(way) < _rank(fresh[other]):
                        fresh[other] = way
        edge = sorted(fresh, key=lambda id_: (-fresh[id_].weight, id_))
        found.update((id_, fresh[id_]) for id_ in edge)
        if not edge or (most is not None and len(found) >= most):
            break
    return found


def _rank(way: Reached) -> tuple[float, str]:
    return -way.weight, "" if way.link is None else way.link.id


def steps_of(links: Iterable[Link], direction: Direction) -> dict[str, dict[str, Link]]:
    """Return for each memory those that one link leads to, each with the heaviest such link.

    Links of weight 0 are left out; of equal ones that with the smaller id is taken.
    """
    steps: dict[str, dict[str, Link]] = {}
    for link in links:
        if link.weight <= 0:
            continue
        for here, other in _ends(link, direction):
            there = steps.setdefault(here, {})
            held = there.get(other)
            if held is None or (-link.weight, link.id) < (-held.weight, held.id):
                there[other] = link
    return steps


def _ends(link: Link, direction: Direction) -> Iterator[tuple[str, str]]:
    if direction != "in":
        yield link.from_id, link.to_id
    if direction != "out":
        yield link.to_id, link.from_id


def between(links: Sequence[Link], memories: Sequence[Memory]) -> list[Link]:
    """Return the links with both ends among memories, in the order of their ids."""
    ids = {each.id for each in memories}
    inside = [link for link in links if link.from_id in ids and link.to_id in ids]
    return sorted(inside, key=lambda link: link.id)


def noted(around: Around, into: dict[str, Link]) -> Around:
    """Return the same, which also puts down each link that it gives, by id."""

    def noting(ids: Sequence[str], /) -> list[Link]:
        found = around(ids)
        into.update((link.id, link) for link in found)
        return found

    return noting


def against(direction: Direction) -> Direction:
    """Return the other way."""
    turned: dict[Direction, Direction] = {"out": "in", "in": "out"}
    return turned.get(direction, direction)
