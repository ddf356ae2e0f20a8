# %% [markdown]
# # Embedders and indexes
#
# An *embedder* makes vectors of texts, so that what means much the same lies near each other. An
# *index* finds the nearest of many vectors. Both are parts that can be exchanged. This notebook
# looks at the embedders that are here, changes the embedder of a store, and asks what an
# approximate index gains and loses.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engram_lab import Engine, EngineConfig, plots
from engram_lab.evaluation.shipped import shipped
from engram_lab.retrieval.dense import VECTOR_INDEXES, VectorIndex, VectorIndexOptions
from engram_lab.retrieval.embedders import EMBEDDERS, resolve

folder = TemporaryDirectory()
place = Path(folder.name)

# %% [markdown]
# ## Which there are
#
# Names for `embedding.model`. Some need a further package, a model or a provider; `auto` takes
# MiniLM where its weights are found, else hashing, which needs nothing and knows spelling alone.

# %%
print(*EMBEDDERS.names(), sep="\n")

# %%
here = {"hashing": resolve("hashing"), "auto": resolve("auto")}
for name, embedder in here.items():
    print(name, "|", embedder.fingerprint, "|", embedder.dim, "numbers in a vector")

# %% [markdown]
# ## What is near what
#
# Rows are of unit length, so that the inner product is the cosine. The same pairs, as each embedder
# sees them: a slip of the pen, other words for the same, and two things that have nothing to do
# with each other. If MiniLM is not installed, both columns are of hashing.

# %%
pairs = [
    ("blood pressure", "blod presure"),
    ("the doctor forbids coffee", "medical advice against caffeine"),
    ("the doctor forbids coffee", "the slipway is closed on Sundays"),
]
cosines = {"one": [a for a, _ in pairs], "other": [b for _, b in pairs]}
for name, embedder in here.items():
    left = embedder.embed([a for a, _ in pairs], kind="query")
    right = embedder.embed([b for _, b in pairs], kind="document")
    cosines[name] = np.sum(left * right, axis=1).round(3).tolist()
pl.DataFrame(cosines)

# %% [markdown]
# ## Another embedder for a store
#
# A store remembers which embedder made each vector. When it is opened with another one, `embed`
# makes the vectors that are missing, and recall compares those of the embedder that is set.

# %%
path = place / "harbour.db"
spelling = EngineConfig.from_dict({"embedding": {"model": "hashing"}})
question = "any medical advice?"
with Engine.open(path, config=spelling) as engine:
    engine.import_(shipped("datasets") / "harbour" / "memories.jsonl")
    by_spelling = engine.recall(question, k=3)

with Engine.open(path) as engine:
    engine.embed()
    by_auto = engine.recall(question, k=3)

for hits in (by_spelling, by_auto):
    print(hits.embedder)
    print(*(f"   {hit.memory.content[:70]}" for hit in hits), sep="\n")

# %% [markdown]
# The vectors come out as a frame. Here is the town on a map, in the two directions in which its
# memories differ most; the colour is the project that a memory is about.

# %%
with Engine.open(path) as engine:
    known = engine.to_polars().select("id", "content", "metadata")
    made = engine.to_polars("vectors").filter(pl.col("embedder") == engine.embedder.fingerprint)
town = made.join(known, left_on="memory_id", right_on="id")
plots.embedding_map(
    np.array(town["values"].to_list()),
    town["metadata"].str.json_path_match("$.project").to_list(),
    texts=town["content"].to_list(),
)

# %% [markdown]
# ## Indexes
#
# A few thousand vectors are searched exactly. Where there are many, an approximate index proposes
# and exact arithmetic decides: what it finds is scored again, so that a memory has one score
# whatever the index. Here each kind holds the same vectors, which are made up: clusters of
# directions, from a given seed.

# %%
rng = np.random.default_rng(0)
dim, many, asked, k = 64, 20_000, 100, 10
centres = rng.normal(size=(200, dim))


def directions(n: int) -> NDArray[np.float32]:
    """Return unit vectors around the centres."""
    rows = centres[rng.integers(len(centres), size=n)] + 1.2 * rng.normal(size=(n, dim))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")
    return unit


vectors, queries = directions(many), directions(asked)
nearest = [set(np.argsort(-(vectors @ query))[:k].tolist()) for query in queries]

# %% [markdown]
# An index may keep vectors coarsely, so it is asked for some more than are wanted, and the best of
# these are chosen by the vectors themselves, as recall does it.


# %%
def found_by(index: VectorIndex, query: NDArray[np.float32], effort: int) -> set[int]:
    """Return the nearest that an index and exact arithmetic find together."""
    proposed = index.search(query, 3 * k, effort=effort)
    best = np.argsort(-(vectors[proposed] @ query))[:k]
    return set(proposed[best].tolist())


# %% [markdown]
# For each kind: how long it takes to build and to ask, and which share of the nearest it finds. The
# effort says how much harder than usual it looks; the options are set low, so that there is
# something to see. Times are those of this machine, in this moment.

# %%
options = VectorIndexOptions(dim=dim, hnsw_links=8, ef_construction=32, ef_search=32, ivf_probes=4)
rows = []
for kind in VECTOR_INDEXES.names():
    index = VECTOR_INDEXES.get(kind)(options)
    began = perf_counter()
    index.build(vectors)
    building = perf_counter() - began
    index.search(queries[0], k)  # the first search sets things up
    for effort in (1,) if index.exact else (1, 2, 4, 8):
        began = perf_counter()
        found = [found_by(index, query, effort) for query in queries]
        asking = perf_counter() - began
        shares = [len(ours & true) / k for ours, true in zip(found, nearest, strict=True)]
        rows.append(
            {
                "kind": kind,
                "effort": effort,
                "build in s": round(building, 2),
                "query in µs": round(1e6 * asking / asked),
                "share found": round(sum(shares) / asked, 4),
            }
        )
speeds = pl.DataFrame(rows)
speeds

# %% [markdown]
# The same over how many vectors an index holds: the median of a question with its quartiles, and
# which share of the nearest is found. Exact search takes longer with each vector; the others look
# at few of them.

# %%
held = []
for holds in (many // 16, many // 4, many):
    wanted = [set(np.argsort(-(vectors[:holds] @ query))[:k].tolist()) for query in queries]
    for kind in VECTOR_INDEXES.names():
        index = VECTOR_INDEXES.get(kind)(options)
        index.build(vectors[:holds])
        index.search(queries[0], k)
        times, shares = [], []
        for query, true in zip(queries, wanted, strict=True):
            began = perf_counter()
            ours = found_by(index, query, 1)
            times.append(1000 * (perf_counter() - began))
            shares.append(len(ours & true) / k)
        low, middle, high = np.quantile(times, (0.25, 0.5, 0.75)).tolist()
        held.append(
            {"index": kind, "memories": holds, "ms": middle, "low": low, "high": high}
            | {"recall": sum(shares) / asked}
        )
plots.index_speed(pl.DataFrame(held))

# %% [markdown]
# ## The same score, whatever the index
#
# In a store, `index.kind` names one, and `auto` chooses by how many vectors there are. The hits
# that two kinds have in common have the same score, to the last bit.

# %%
scores = {}
for kind in ("exact", "hnsw", "ivf"):
    config = EngineConfig.from_dict(
        {
            "index": {"kind": kind},
            "retrieval": {"strategy": "semantic"},
            "learning": {"record_recalls": False},
        }
    )
    with Engine.open(path, config=config) as engine:
        scores[kind] = {hit.id: hit.score for hit in engine.recall(question, k=5)}
for kind, found_scores in scores.items():
    shared = found_scores.keys() & scores["exact"].keys()
    same = all(found_scores[id_] == scores["exact"][id_] for id_ in shared)
    print(kind, "| shares", len(shared), "hits with exact | the same scores:", same)

# %% [markdown]
# Indexes are caches in a folder beside the database. They follow the change log, and are made anew
# where they are damaged or of another database.

# %%
print(*sorted(file.name for file in (place / "harbour.db.index").iterdir()), sep="\n")

# %%
folder.cleanup()
