"""Memories and their links as two frames: what a plot, a notebook or another tool needs of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from engram_lab.core.types import Link, Memory
    from engram_lab.engine.steps import Reached

__all__ = ["Graph", "changes_of", "graph_of"]

_GOLDEN_ANGLE: Final = math.pi * (3 - math.sqrt(5))
_LABEL: Final = 60
"""Characters of a label, which is the beginning of the text."""

_OF_MEMORY: Final = (
    "id", "type", "workspace", "scope", "importance", "pinned", "lifecycle", "event_at",
    "valid_from", "valid_to", "created_at",
)  # fmt: skip
_OF_LINK: Final = (
    "id", "from_id", "to_id", "type", "weight", "confidence", "source", "valid_from", "valid_to",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Graph:
    """A part of the graph of memories, as frames; `.to_arrow()` of either gives an Arrow table.

    Attributes:
        nodes: A row for each memory: `id`, `label` (how its text begins), `type`, `workspace`,
            `scope`, `importance`, `pinned`, `lifecycle`, its times, `depth` (over how many links it
            was reached) and `weight` (of the heaviest way there), both null where nothing was
            asked from, `degree` and `strength` (how many of the edges it has, and the sum of their
            weights), `x` and `y` (a place for a plot: the first rows in the middle).
        edges: A row for each link between them: `id`, `from_id`, `to_id`, `type`, `weight`,
            `confidence`, `source`, `valid_from`, `valid_to`.
    """

    nodes: pl.DataFrame
    edges: pl.DataFrame

    def __repr__(self) -> str:
        return f"Graph({self.nodes.height} nodes, {self.edges.height} edges)"

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return both frames as lists of rows, for JSON."""
        return {"nodes": self.nodes.to_dicts(), "edges": self.edges.to_dicts()}

    def to_json(self) -> str:
        """Return `to_dict()` as JSON."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(self.to_dict(), option=options).decode()

    def to_dot(self) -> str:
        """Return the graph in the language of Graphviz, pen widths by weight."""
        lines = ["digraph memories {", "  node [shape=box, style=rounded];"]
        lines += [
            f"  {_quoted(row['id'])} [label={_quoted(row['label'])}];"
            for row in self.nodes.iter_rows(named=True)
        ]
        lines += [
            f"  {_quoted(row['from_id'])} -> {_quoted(row['to_id'])} "
            f"[label={_quoted(row['type'])}, penwidth={0.5 + 2 * row['weight']:.2f}];"
            for row in self.edges.iter_rows(named=True)
        ]
        return "\n".join([*lines, "}", ""])


def graph_of(
    memories: Sequence[Memory],
    links: Sequence[Link],
    reached: Mapping[str, Reached] | None = None,
) -> Graph:
    """Return memories and the links between them as a graph, in the order given."""
    import polars as pl

    degree = dict.fromkeys((each.id for each in memories), 0)
    strength = dict.fromkeys(degree, 0.0)
    for link in links:
        for end in (link.from_id, link.to_id):
            degree[end] += 1
            strength[end] += link.weight
    ways = [reached[each.id] if reached else None for each in memories]
    places = [_place(rank) for rank in range(len(memories))]
    nodes: dict[str, list[Any]] = {
        **{name: [getattr(each, name) for each in memories] for name in _OF_MEMORY},
        "label": [_label(each.content) for each in memories],
        "depth": [None if way is None else way.depth for way in ways],
        "weight": [None if way is None else way.weight for way in ways],
        "degree": list(degree.values()),
        "strength": list(strength.values()),
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
    }
    edges = {name: [getattr(link, name) for link in links] for name in _OF_LINK}
    schema = _node_schema()
    return Graph(
        nodes=pl.DataFrame({name: nodes[name] for name in schema}, schema=schema),
        edges=pl.DataFrame(edges, schema=_edge_schema()),
    )


def changes_of(before: Sequence[Link], after: Sequence[Link]) -> pl.DataFrame:
    """Return which links were added, removed or changed, by their ends and type.

    Where several links of a type join the same two, the one that began last stands for them.
    """
    import polars as pl

    old, new = _latest(before), _latest(after)
    rows = []
    for key in sorted(old.keys() | new.keys()):
        was, became = old.get(key), new.get(key)
        if was is None or became is None:
            change = "added" if was is None else "removed"
        elif (was.weight, was.confidence) != (became.weight, became.confidence):
            change = "changed"
        else:
            continue
        row: dict[str, Any] = {"change": change}
        row |= zip(("from_id", "to_id", "type"), key, strict=True)
        for side, link in (("before", was), ("after", became)):
            row[f"link_{side}"] = None if link is None else link.id
            row[f"weight_{side}"] = None if link is None else link.weight
            row[f"confidence_{side}"] = None if link is None else link.confidence
        rows.append(row)
    return pl.DataFrame(rows, schema=_change_schema())


def _latest(links: Sequence[Link]) -> dict[tuple[str, str, str], Link]:
    """Return for each pair and type the link that began last; one without a beginning is older."""
    ordered = sorted(
        links,
        key=lambda link: (
            link.valid_from is not None,
            link.valid_from or link.created_at,
            link.created_at,
            link.id,
        ),
    )
    return {(link.from_id, link.to_id, link.type): link for link in ordered}


def _change_schema() -> dict[str, Any]:
    import polars as pl

    names = "change", "from_id", "to_id", "type"
    sides = [
        f"{name}_{side}"
        for side in ("before", "after")
        for name in ("link", "weight", "confidence")
    ]
    return {
        name: pl.String() if name in names or name.startswith("link") else pl.Float64()
        for name in (*names, *sides)
    }


def _node_schema() -> dict[str, Any]:
    import polars as pl

    text, number, time = pl.String(), pl.Float64(), pl.Datetime("us", "UTC")
    return {
        "id": text,
        "label": text,
        "type": text,
        "workspace": text,
        "scope": text,
        "importance": number,
        "pinned": pl.Boolean(),
        "lifecycle": text,
        "event_at": time,
        "valid_from": time,
        "valid_to": time,
        "created_at": time,
        "depth": pl.Int64(),
        "weight": number,
        "degree": pl.Int64(),
        "strength": number,
        "x": number,
        "y": number,
    }


def _edge_schema() -> dict[str, Any]:
    import polars as pl

    text, number, time = pl.String(), pl.Float64(), pl.Datetime("us", "UTC")
    kinds = {"weight": number, "confidence": number, "valid_from": time, "valid_to": time}
    return {name: kinds.get(name, text) for name in _OF_LINK}


def _label(content: str) -> str:
    line = " ".join(content.split())
    return line if len(line) <= _LABEL else f"{line[:_LABEL].rstrip()} …"


def _place(rank: int) -> tuple[float, float]:
    """Return a place for the row of a rank: evenly strewn over a disc, from the middle outward.

    Source: Vogel 1979, A better way to construct the sunflower head, Mathematical Biosciences 44,
    eq. 2 and 3: r = √n, φ = n · 137.5°.
    """
    radius, angle = math.sqrt(rank), rank * _GOLDEN_ANGLE
    return radius * math.cos(angle), radius * math.sin(angle)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
