"""Plot what the gate finds: power by true loss, from the committed simulation.

python evals/simulations/power.py              write evals/simulations/power.svg
python evals/simulations/power.py --check      exit code 1 where it is not up to date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import altair as alt
import polars as pl

from engram_lab.plots.saving import svg_of
from engram_lab.plots.theme import themed

HERE: Final = Path(__file__).resolve().parent
RECORD: Final = HERE.parent / "baselines" / "simulation-gate.json"
PLOT: Final = HERE / "power.svg"

NOISE: Final = 0.1
"""The share of queries whose nDCG@10 changes where BM25's k1 does."""


def curves() -> pl.DataFrame:
    """Return `loss`, `power`, `low`, `high` and what loses, of gates that know conversations."""
    rows = pl.DataFrame(json.loads(RECORD.read_text(encoding="utf-8"))["power"])
    where = (
        pl.when(pl.col("group") == "all")
        .then(pl.format("all {} questions", "n"))
        .otherwise(pl.format("one category of {}", "n"))
    )
    chosen = (pl.col("noise") == NOISE) & pl.col("clustered")
    return rows.filter(chosen).sort("n", descending=True).with_columns(loses=where)


def plot() -> str:
    """Return the curves as SVG."""
    rows = curves()
    order = rows["loses"].unique(maintain_order=True).to_list()
    x = alt.X("loss:Q", title="true loss of recall_any@10", axis=alt.Axis(format="%", tickCount=6))
    colour = alt.Color("loses:N", title="what loses", sort=order)
    base = alt.Chart(rows)
    area = base.mark_area(opacity=0.12, color="grey").encode(
        x=x, y="low:Q", y2="high:Q", detail="loses"
    )
    line = base.mark_line(strokeWidth=2, point=True).encode(
        x=x,
        y=alt.Y("power:Q", title="gates that fail", axis=alt.Axis(format="%")),
        color=colour,
    )
    return svg_of(themed(alt.layer(area, line).properties(width=520, height=280)), name="power")


def main() -> int:
    """Write or check."""
    if "--check" in sys.argv:
        return 0 if PLOT.is_file() and PLOT.read_text(encoding="utf-8") == plot() else 1
    PLOT.write_text(plot(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
