# %% [markdown]
# # Quickstart
#
# A memory database is one file. This notebook makes one, asks it questions, sees why each
# answer stands where it does, changes a memory, and takes the change back. Nothing here needs a
# network; everything is written into a temporary folder that the last cell removes.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from engram_lab import Engine, plots
from engram_lab.evaluation.shipped import shipped

folder = TemporaryDirectory()
engine = Engine.open(Path(folder.name) / "notes.db")

# %% [markdown]
# ## Remember
#
# `remember` returns once the memory is safely on the disk. Beside the text it takes tags, a type,
# an importance, and free `metadata`.

# %%
ada = engine.remember(
    "Ada takes her coffee without sugar",
    type="preference",
    tags=["taste"],
    metadata={"person": "Ada"},
    importance=0.7,
)
engine.remember("The tide tables of the harbour are wrong in May", type="issue", tags=["tide"])
engine.remember("Noor bakes the bread for the fishermen", type="fact", tags=["bakery"])
ada

# %% [markdown]
# ## Recall
#
# A question is plain text. By default it is looked for by words and by meaning; the answer is a
# sequence of hits, best first, which a notebook shows as a table.

# %%
hits = engine.recall("how does Ada like her coffee?", k=3)
hits

# %% [markdown]
# `reason` says why these ways of searching were taken, `embedder` what made the vectors. Where
# MiniLM is installed it is used; otherwise vectors are made by hashing, which knows spelling and
# not meaning. Each hit has the sum that put it there.

# %%
print("strategy:", hits.strategy)
print("because:", hits.reason)
print("vectors by:", hits.embedder)
for hit in hits:
    print(hit.rank, hit.explanation)

# %% [markdown]
# The same as a chart: what each arm gave, and what it comes to.

# %%
plots.score_anatomy(hits)

# %% [markdown]
# ## A store with more in it
#
# The package brings *Harbour*, a year in a small harbour town that was made up for it. It goes
# into a database of its own; the memories in it name their workspace, `harbour`.

# %%
town = Engine.open(Path(folder.name) / "harbour.db")
report = town.import_(shipped("datasets") / "harbour" / "memories.jsonl")
report

# %%
town.recall("how does Ilse take her coffee?", k=5, workspace="harbour")

# %% [markdown]
# Filters hold while the arms search, not afterwards: whoever asks for `k` gets `k` whenever so
# many exist. Words in quotes are looked for as a phrase, whatever their endings.

# %%
town.recall("when is the launch of Petrel?", k=3, filter={"type": "decision"})

# %%
town.recall('"tide tables"', k=3)

# %% [markdown]
# Words that no memory holds are pointed out, with what may have been meant. Nothing is replaced.

# %%
town.suggest("blod presure")

# %% [markdown]
# ## Everything is a frame
#
# Any table of the store comes out as Arrow or Polars. Here is what the town talks about.

# %%
memories = town.to_polars()
memories.group_by("type").agg(
    pl.len().alias("memories"), pl.col("importance").mean().round(2)
).sort("memories", descending=True)

# %% [markdown]
# ## Nothing is lost
#
# A change makes a new version, with an author and a reason. The former ones stay.

# %%
engine.update(
    ada.id,
    content="Ada takes her coffee with milk",
    author="me",
    reason="she said so on Monday",
)
for version in engine.history(ada.id):
    print(version.number, version.action, version.author, "|", version.reason)
    print("   ", version.memory.content)

# %% [markdown]
# Forgetting hides a memory from every read. `restore` brings it back; with `version` it goes back
# to an earlier state, as a new version.

# %%
engine.forget(ada.id, reason="a test")
print("while forgotten:", [hit.memory.content for hit in engine.recall("Ada coffee", k=1)])
engine.restore(ada.id, version=1, reason="she changed her mind")
print("restored:", [hit.memory.content for hit in engine.recall("Ada coffee", k=1)])

# %% [markdown]
# Close an engine when you are done with it, or use it in a `with` block. What comes next: your own
# data, then why hits stand where they stand, then dreams.

# %%
engine.close()
town.close()
folder.cleanup()
