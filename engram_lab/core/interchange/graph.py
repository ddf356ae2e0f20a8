"""Queries that follow links, as functions of a DuckDB connection over the tables of a store.

All see the links that the tables hold, so what whoever asks may see; those alone that hold at a
moment, from `valid_from` on, up to and without `valid_to`. How deep they go is bounded, and none
passes a memory twice: what was passed is a list of ids, compared as a whole.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FOLLOWING", "MOMENT"]

MOMENT: Final = "engram_moment"
"""The variable that holds the moment of which a query is asked, unless it names one."""

_OPTIONS: Final = "direction := 'both', types := NULL, min_weight := 0.0, moment := NULL"

_AT: Final = f"coalesce(CAST(moment AS TIMESTAMPTZ), getvariable('{MOMENT}'))"
"""Not as a default of `moment`: that would stay what it was as the function was made."""

_LINKS_AT: Final = f"""
CREATE OR REPLACE MACRO links_at(moment := NULL) AS TABLE
SELECT l.* FROM links AS l
WHERE (l.valid_from IS NULL OR l.valid_from <= {_AT})
  AND (l.valid_to IS NULL OR l.valid_to > {_AT})
"""

_STEPS: Final = f"""
CREATE OR REPLACE MACRO steps_by_links({_OPTIONS}) AS TABLE
SELECT s.here, s.there, s.weight, s.link FROM (
  SELECT l.from_id AS here, l.to_id AS there, l.weight, l.id AS link, l.type, 'out' AS way
  FROM links_at(moment) AS l
  UNION ALL
  SELECT l.to_id, l.from_id, l.weight, l.id, l.type, 'in' FROM links_at(moment) AS l
) AS s
WHERE s.weight >= min_weight AND (types IS NULL OR list_contains(types, s.type)) AND CASE
  WHEN direction IN ('out', 'in', 'both') THEN direction IN (s.way, 'both')
  ELSE error('direction is ' || direction || ': allowed are out, in, both') END
"""

_DEPTH: Final = """CASE WHEN max_depth BETWEEN 1 AND 10 THEN max_depth
  ELSE error('max_depth is ' || max_depth || ': allowed are 1 to 10') END"""

_REACHABLE: Final = f"""
CREATE OR REPLACE MACRO reachable(start, max_depth := 4, {_OPTIONS}) AS TABLE
WITH RECURSIVE
bound AS MATERIALIZED (SELECT {_DEPTH} AS links),
steps AS MATERIALIZED (FROM steps_by_links(
  direction := direction, types := types, min_weight := min_weight, moment := moment)),
reached(id, depth, weight) USING KEY (id) AS (
  SELECT m.id, 0, 1.0::DOUBLE FROM memories AS m WHERE m.id = start
  UNION
  SELECT s.there, r.depth + 1, max(r.weight * s.weight)
  FROM reached AS r JOIN steps AS s ON s.here = r.id
  WHERE r.depth < (SELECT b.links FROM bound AS b)
    AND NOT EXISTS (SELECT 1 FROM recurring.reached AS o WHERE o.id = s.there)
  GROUP BY s.there, r.depth
)
SELECT r.id, r.depth, r.weight FROM reached AS r WHERE r.depth > 0
ORDER BY r.depth, r.weight DESC, r.id
"""

_PATHS: Final = f"""
CREATE OR REPLACE MACRO paths(start, target, max_depth := 4, most := 10, {_OPTIONS}) AS TABLE
WITH RECURSIVE
bound AS MATERIALIZED (SELECT {_DEPTH} AS links),
steps AS MATERIALIZED (
  SELECT s.here, s.there, s.weight, s.link FROM steps_by_links(
    direction := direction, types := types, min_weight := min_weight, moment := moment) AS s
  WHERE s.weight > 0
  QUALIFY row_number() OVER (PARTITION BY s.here, s.there ORDER BY s.weight DESC, s.link) = 1
),
away(id, depth) USING KEY (id) AS (
  SELECT m.id, 0 FROM memories AS m WHERE m.id = target AND target <> start
  UNION
  SELECT s.here, w.depth + 1
  FROM away AS w JOIN steps AS s ON s.there = w.id
  WHERE w.depth < (SELECT b.links FROM bound AS b)
    AND NOT EXISTS (SELECT 1 FROM recurring.away AS o WHERE o.id = s.here)
  GROUP BY s.here, w.depth
),
ways(id, ids, links, depth, weight) AS (
  SELECT m.id, [m.id], CAST([] AS VARCHAR[]), 0, 1.0::DOUBLE
  FROM memories AS m JOIN away AS w ON w.id = m.id WHERE m.id = start
  UNION ALL
  SELECT s.there, list_append(y.ids, s.there), list_append(y.links, s.link), y.depth + 1,
    y.weight * s.weight
  FROM ways AS y JOIN steps AS s ON s.here = y.id JOIN away AS w ON w.id = s.there
  WHERE y.id <> target AND NOT list_contains(y.ids, s.there)
    AND y.depth + 1 + w.depth <= (SELECT b.links FROM bound AS b)
)
SELECT y.ids, y.links, y.depth, y.weight FROM ways AS y WHERE y.id = target
ORDER BY round(-ln(greatest(y.weight, 1e-300)), 10), y.depth, y.ids LIMIT most
"""

_DEGREES: Final = """
CREATE OR REPLACE MACRO degrees(moment := NULL) AS TABLE
WITH ends AS (
  SELECT l.from_id AS id, 1 AS leaving, 0 AS coming, l.weight FROM links_at(moment) AS l
  UNION ALL
  SELECT l.to_id, 0, 1, l.weight FROM links_at(moment) AS l
)
SELECT m.id, count(e.id) AS degree, coalesce(sum(e.leaving), 0)::BIGINT AS out_degree,
  coalesce(sum(e.coming), 0)::BIGINT AS in_degree, coalesce(sum(e.weight), 0.0) AS strength
FROM memories AS m LEFT JOIN ends AS e ON e.id = m.id
GROUP BY m.id ORDER BY degree DESC, strength DESC, m.id
"""

_COMPONENTS: Final = """
CREATE OR REPLACE MACRO components(moment := NULL) AS TABLE
WITH RECURSIVE
steps AS MATERIALIZED (FROM steps_by_links(moment := moment)),
joined(id, component) USING KEY (id) AS (
  SELECT m.id, m.id FROM memories AS m
  UNION
  SELECT s.there, min(j.component)
  FROM joined AS j JOIN steps AS s ON s.here = j.id
  JOIN recurring.joined AS o ON o.id = s.there
  WHERE j.component < o.component
  GROUP BY s.there
)
SELECT j.id, j.component, count(*) OVER (PARTITION BY j.component) AS size
FROM joined AS j ORDER BY size DESC, j.component, j.id
"""

FOLLOWING: Final = {
    "links_at": _LINKS_AT,
    "steps_by_links": _STEPS,
    "reachable": _REACHABLE,
    "paths": _PATHS,
    "degrees": _DEGREES,
    "components": _COMPONENTS,
}
"""How each function is made, by name, in an order in which each knows those it stands on."""
