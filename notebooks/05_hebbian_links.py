# %% [markdown]
# # Hebbian links: watch a graph learn
#
# Memories that are recalled together become linked, as far as that is more than chance. This
# notebook makes up a small household in which some things belong together although no word says
# so, lets somebody ask about them day by day, dreams each night, and watches the links grow. Then
# nobody asks any more, and they fade.
#
# The clock and all chance are given, so that each run is the same.

# %%
import random
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from engram_lab import Engine, EngineConfig, ManualClock, plots

folder = TemporaryDirectory()
clock = ManualClock(datetime(2026, 1, 1, 8, tzinfo=UTC))
config = EngineConfig.from_dict(
    {"store": {"seed": 3}, "dream": {"steps": "hebbian"}, "retrieval": {"profile": "neutral"}}
)
engine = Engine.open(Path(folder.name) / "household.db", config=config, clock=clock)

# %% [markdown]
# ## A household
#
# The things in one pair of the list are used together. The store is not told.

# %%
things = {
    "ladder": "The ladder stands behind the greenhouse",
    "gutter": "The gutter over the porch is blocked by leaves",
    "passport": "Mira's passport lies in the blue box",
    "ferry": "The night ferry sails from the western pier",
    "yeast": "The yeast is on the lowest shelf of the fridge",
    "oven": "The oven needs a quarter of an hour to get hot",
    "violin": "The violin was restrung in autumn",
    "bicycle": "The bicycle has a slow puncture",
    "umbrella": "The umbrella with the wooden handle is lent to Jo",
    "stove": "The stove in the shed smokes when the wind is easterly",
}
pairs = [("ladder", "gutter"), ("passport", "ferry"), ("yeast", "oven")]
lone = ["violin", "bicycle", "umbrella", "stove"]
ids = {name: engine.remember(content).id for name, content in things.items()}
names = {id_: name for name, id_ in ids.items()}

# %% [markdown]
# ## Days and nights
#
# On each day somebody asks about the pairs, about things alone, and now and then about two things
# that have nothing to do with each other. Each question brings back two memories, and the engine
# keeps what was asked and what came back. At night it dreams, and we look at the links.

# %%
chance = random.Random(11)  # noqa: S311 - the same days each time


def one_day() -> None:
    """Ask what a day brings."""
    asked = [f"{a} {b}" for a, b in pairs if chance.random() < 0.8]
    asked += chance.sample(lone, 2)
    asked += [" ".join(chance.sample(lone, 2))] if chance.random() < 0.5 else []
    for question in asked:
        clock.advance(minutes=20)
        engine.recall(question, k=len(question.split()))


def links_now(night: int) -> pl.DataFrame:
    """Return the learned links with the names that we know."""
    return engine.to_polars("links").select(
        pl.lit(night).alias("night"),
        pl.concat_str(
            pl.col("from_id").replace(names), pl.lit(" - "), pl.col("to_id").replace(names)
        ).alias("link"),
        "weight",
    )


# %%
nights, edges = [], []
for night in range(1, 22):
    one_day()
    clock.advance(hours=8)
    report = engine.dream()
    nights.append(links_now(night))
    edges.append(engine.graph_at().edges.with_columns(at=pl.lit(clock.now())))
    clock.advance(hours=8)
report

# %% [markdown]
# ## What it learned
#
# A row for each link, a column for some of the nights. Which of them join what we paired?

# %%
learned = pl.concat(nights)
shown = [1, 3, 7, 14, 21]
grown = learned.filter(pl.col("night").is_in(shown)).pivot(
    on="night", index="link", values="weight", sort_columns=False
)
grown

# %%
meant = {frozenset(pair) for pair in pairs}
last = nights[-1].with_columns(
    pl.col("link")
    .map_elements(lambda link: frozenset(link.split(" - ")) in meant, return_dtype=pl.Boolean)
    .alias("paired by us")
)
last.sort("weight", descending=True)

# %% [markdown]
# ## The graph
#
# `graph_at` gives the memories and links that hold at a moment, as two frames; `neighbours` what
# lies around one memory.

# %%
graph = engine.graph_at()
graph.nodes.select(pl.col("id").replace(names).alias("memory"), "degree", "strength").sort(
    "strength", descending=True
)

# %% [markdown]
# As a chart. In JupyterLab it can be moved and zoomed, and the slider below it goes through the
# nights; elsewhere it is a picture of the last one.

# %%
nodes = graph.nodes.with_columns(label=pl.col("id").replace(names))
chart = plots.link_graph(nodes, pl.concat(edges))
chart

# %% [markdown]
# Saved as a page, it has its slider in any browser, and needs no network.

# %%
page = plots.save(chart, Path(folder.name) / "graph.html")
print(page.name, "has", page.stat().st_size, "bytes")

# %%
for near in engine.neighbours(ids["passport"]):
    print(names[near.memory.id], near.link.type, near.link.weight)

# %% [markdown]
# ## What it is good for
#
# A question about one of a pair shares no word with the other. With `retrieval.spread_share`,
# activation spreads over links and is a further arm of the recall. These questions are asked
# through engines that record nothing.

# %%
partner = dict(pairs) | {b: a for a, b in pairs}


def place_of_partners(spread: float) -> list[int | None]:
    """Return at which place the partner of each thing is found."""
    told = {"profile": "neutral", "spread_share": spread}
    asking = EngineConfig.from_dict({"retrieval": told, "learning": {"record_recalls": False}})
    places = []
    with Engine.open(Path(folder.name) / "household.db", config=asking, clock=clock) as other:
        for thing in partner:
            found = [names[hit.id] for hit in other.recall(f"where is the {thing}?", k=10)]
            places.append(found.index(partner[thing]) + 1 if partner[thing] in found else None)
    return places


pl.DataFrame(
    {
        "asked for": list(partner),
        "its partner": list(partner.values()),
        "place without links": place_of_partners(0.0),
        "place with links": place_of_partners(0.5),
    }
)

# %% [markdown]
# ## Forgetting
#
# Nobody asks for a while. A link that is not used loses half of its weight in each
# `dream.hebbian_half_life_days`, and goes when it falls below `dream.hebbian_floor`.

# %%
fading = []
for _ in range(7):
    links = engine.to_polars("links")
    fading.append(
        {"day": clock.now().date(), "links": len(links), "heaviest": links["weight"].max()}
    )
    clock.advance(days=60)
    engine.dream()
pl.DataFrame(fading)

# %% [markdown]
# Learning changed no memory: links are all that it makes. And forgetting can be undone as well:
# here is the last dream that changed anything, and what its undoing brings back.

# %%
print("versions of any memory:", engine.to_polars()["version"].max())
print("links:", engine.to_polars("links").height)
last_one = next(run for run in engine.dreams() if any(step.counts for step in run.steps))
engine.undo(last_one.id)
print("links after undoing it:", engine.to_polars("links").height)

# %%
engine.close()
folder.cleanup()
