# %% [markdown]
# # Dreams
#
# What says the same becomes one, what no longer holds gives way to what does, what is recalled
# together becomes linked: not at every write, but in a *dream*. A dream plans first. You look at
# the plan, have it carried out in one transaction, and can undo it to the last bit.
#
# The clock of this notebook stands still and moves when told to, so that each run is the same.

# %%
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from engram_lab import (
    Change,
    DreamReport,
    Engine,
    EngineConfig,
    EngramError,
    ManualClock,
    plots,
)
from engram_lab.evaluation import run_benchmark
from engram_lab.evaluation.shipped import shipped

pl.Config.set_fmt_str_lengths(120)  # reasons are there to be read
folder = TemporaryDirectory()
clock = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))
config = EngineConfig.from_dict({"store": {"seed": 7}})
engine = Engine.open(Path(folder.name) / "town.db", config=config, clock=clock)
engine.import_(shipped("datasets") / "harbour" / "memories.jsonl")

# %% [markdown]
# Beside the town, a small workspace in which we know what should happen: two tellings of one thing,
# a fact that changed, a near miss that must stay apart, and something that is pinned.

# %%
told = [
    ("the key", "The key of the boat shed hangs behind the door"),
    ("the key, again", "The key of the boat shed is hanging behind the door."),
    ("old home", "Ada lives in Lisbon"),
    ("new home", "Ada moved to Porto, she lives there now"),
    ("Thursdays", "The choir rehearses on Thursdays"),
    ("of the band", "The band rehearses on Thursdays"),
]
ids = {}
for name, content in told:
    clock.advance(days=1)
    ids[name] = engine.remember(content, workspace="small", event_at=clock.now()).id
ids["pinned"] = engine.remember(
    "The key of the boat shed hangs behind the door!", workspace="small", pinned=True
).id
names = {id_: name for name, id_ in ids.items()}

# %% [markdown]
# ## Plan
#
# With `dry_run=True` nothing is written. The report says what each step would do.

# %%
before = engine.to_polars(workspace="small")
plan = engine.dream("small", dry_run=True)
plan

# %%
plots.dream_diff(plan)

# %% [markdown]
# ## Look
#
# Every change has its reason. A dream changes no words: it archives, closes validity, labels and
# links.


# %%
def what_of(change: Change) -> str:
    """Return in a few words what a change does."""
    if change.action == "link":
        return f"{names[change.fields['from_id']]} -> {names[change.fields['to_id']]}"
    return ", ".join(f"{name} {value}"[:40] for name, value in change.fields.items())


def changes_of(report: DreamReport) -> pl.DataFrame:
    """Return the changes of a dream, with the names that we gave to memories."""
    return pl.DataFrame(
        [
            {
                "step": change.step,
                "action": change.action,
                "of": names.get(change.id, "a link"),
                "what": what_of(change),
                "reason": change.reason,
            }
            for change in report
        ]
    )


changes_of(plan)

# %% [markdown]
# Nothing has happened so far.

# %%
engine.to_polars(workspace="small").equals(before)

# %% [markdown]
# ## Apply
#
# The same call without `dry_run` carries the plan out: all of it or nothing.

# %%
done = engine.dream("small")
done

# %%
print("as planned:", changes_of(done).equals(changes_of(plan)))
engine.to_polars(workspace="small", archived=True).select(
    pl.col("id").replace(names).alias("memory"), "lifecycle", "valid_to", "version", "content"
)

# %% [markdown]
# What was merged has a successor that is found in its place; it is one link away.

# %%
links = engine.to_polars("links", workspace="small", archived=True)
links.select(pl.col("from_id", "to_id").replace(names), "type", "weight", "source")

# %%
engine.recall("where does Ada live?", k=2, workspace="small")

# %% [markdown]
# Each change of a memory is a version whose author is `dream`.

# %%
changed = next(change.id for change in done if change.action == "update")
for version in engine.history(changed):
    print(version.number, version.author, "|", version.reason)

# %% [markdown]
# ## Undo
#
# One call puts back memories, versions and links.

# %%
undone = engine.undo(done.run_id)
print(undone)
print("as before:", engine.to_polars(workspace="small").equals(before))

# %% [markdown]
# Where somebody has changed one of the memories since, an undo says which and does nothing, unless
# it is told to leave those as they are.

# %%
again = engine.dream("small")
clock.advance(hours=1)
engine.update(changed, importance=0.8, reason="it matters after all")
try:
    engine.undo(again.run_id)
except EngramError as error:
    print(error)
engine.undo(again.run_id, keep_later=True)

# %% [markdown]
# ## A dream that would hide too much
#
# A dream that would hide more than the share in `dream.most_removed` stops by itself. Here one is
# asked to prune the town to a few memories.

# %%
tight = EngineConfig.from_dict({"dream": {"prune_most_memories": 20}, "store": {"seed": 7}})
engine.close()
engine = Engine.open(Path(folder.name) / "town.db", config=tight, clock=clock)
try:
    engine.dream("harbour", steps="prune")
except EngramError as error:
    print(error)

# %% [markdown]
# A plan may be looked at all the same. What is pinned or important is in no such plan.

# %%
pruning = engine.dream("harbour", steps="prune", dry_run=True)
hidden = [engine.get(change.id) for change in pruning]
print("would hide:", len(hidden), "of", engine.count(workspace="harbour"))
print("pinned among them:", sum(memory.pinned for memory in hidden))
print("most important among them:", max(memory.importance for memory in hidden))

# %% [markdown]
# What was dreamt, and what became of it, is on record. A dream counts as undone also where an undo
# left later changes as they are; which, its report says in `kept`.

# %%
for run in engine.dreams():
    print(run.workspace, run.status, [step.step for step in run.steps])

# %% [markdown]
# ## Is a dream worth having?
#
# The benchmark of consolidation lets dreams, and placebos that do as much by lot, live in worlds
# where the truth is known. Here a small one, with vectors made by hashing;
# `engram eval run consolidation` is the whole of it, with tests against each null.

# %%
quick = EngineConfig.from_dict({"embedding": {"model": "hashing"}})
tasks = ("retaining", "lasting", "forecasting")
trial = run_benchmark(out=Path(folder.name) / "trial", size=200, tasks=tasks, config=quick)
curves = trial.to_polars("curves")
curves.group_by("plot", maintain_order=True).agg(pl.col("system").unique(maintain_order=True))

# %% [markdown]
# *Retention*: the smaller the store is made, the fewer facts are found. Which memories to part with
# makes the difference; the placebos part with as many.

# %%
kept = curves.filter(
    pl.col("plot") == "retention by memories",
    pl.col("system").is_in(["dream", "random_drop", "lru", "recency"]),
)
plots.retention(kept.rename({"x": "kept", "y": "found"}))

# %% [markdown]
# *Survival*: night after night without news, what must be kept is looked for. Dreams are to lose
# nothing; a placebo that loses a little each night shows what that comes to. Some are looked for
# each night, others the next, and all of them after the last.

# %%
nights = curves.filter(pl.col("plot") == "survival by night")
plots.survival(nights.rename({"x": "time", "y": "share"}))

# %% [markdown]
# *Reliability*: a law of forgetting gives each memory a chance to be asked for again. On the dashed
# line, what is given a chance comes as often as that says; `true_law` is the law that made a
# world, and `base_rate` gives everything in it the same chance. There are several worlds.

# %%
laws = ("act-r", "power", "base_rate", "true_law")
chances = curves.filter(pl.col("plot") == "reliability", pl.col("system").is_in(laws))
plots.reliability(chances.rename({"x": "forecast", "y": "came"}))

# %%
engine.close()
folder.cleanup()
