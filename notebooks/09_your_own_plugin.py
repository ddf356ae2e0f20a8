# %% [markdown]
# # Your own plug-in
#
# Each part of recall and of dreams is a small protocol: an object of yours takes its place, and a
# check says whether it keeps the contract. This notebook writes an embedder, a reranker, a fusion,
# a feature and a step of a dream. Classes of a protocol need no common ancestor, only its methods.

# %%
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from engram_lab import Change, Engine, EngineConfig, ManualClock
from engram_lab.consolidation import STEPS, Scene, View
from engram_lab.evaluation.shipped import shipped
from engram_lab.retrieval.embedders import EMBEDDERS, Kind
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows
from engram_lab.retrieval.features import FEATURES
from engram_lab.retrieval.features import Scene as Turns
from engram_lab.retrieval.fusion import FUSIONS, Fused
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank import RERANKERS, Candidate, Reranked, RerankQuery
from engram_lab.retrieval.rerank.building import made_of, relevance_of, scores_of
from engram_lab.testing import (
    ConformanceError,
    check_embedder,
    check_fusion,
    check_reranker,
    check_step,
)

folder = TemporaryDirectory()
place = Path(folder.name)
harbour = shipped("datasets") / "harbour" / "memories.jsonl"
clock = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))

# %% [markdown]
# ## An embedder
#
# It has a fingerprint, by which vectors are told apart, a number of dimensions, and `embed`, which
# gives unit vectors. This one counts the letters of a text, and so knows very little.


# %%
class Bytes:
    """Counts the bytes of a text."""

    fingerprint, dim = "bytes/1", 256

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return a unit vector of each text."""
        check_kind(kind)
        rows = [np.bincount(list(text.encode()), minlength=256) for text in check_texts(texts)]
        return unit_rows(rows, len(rows), self.dim)


check_embedder(Bytes())

# %% [markdown]
# The check is silent where the contract is kept. Where it is not, the error names the law.


# %%
class Long(Bytes):
    """Forgets that vectors are of unit length."""

    fingerprint = "long/1"

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return vectors that are too long."""
        return 2 * super().embed(texts, kind=kind)


try:
    check_embedder(Long())
except ConformanceError as error:
    print(error)

# %% [markdown]
# Give the object to an engine, or register a name for it that a configuration can use.

# %%
EMBEDDERS.add("bytes", lambda options: Bytes())  # noqa: ARG005 - it has no options
config = EngineConfig.from_dict({"embedding": {"model": "bytes"}})
with Engine.open(place / "bytes.db", config=config, clock=clock) as engine:
    engine.import_(harbour)
    hits = engine.recall("coffee", k=3, strategy="semantic")
print(hits.embedder)
hits

# %% [markdown]
# ## A reranker
#
# It looks at the best candidates again and says what it made of each score, in named parts, so that
# the explanation stays a sum. This one adds a little to short memories.


# %%
@RERANKERS.register("shortest")
class Shortest:
    """Prefers what is short."""

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:  # noqa: ARG002
        """Return the candidates with what being short is worth."""
        scores = scores_of(candidates)
        scores[:] = [1 / len(each.memory.content) for each in candidates]
        parts = {"relevance": relevance_of(candidates), "shortness": 10 * scores}
        return made_of(candidates, parts, how="sum")


check_reranker(Shortest())
with Engine.open(place / "town.db", rerankers={"shortest": Shortest()}, clock=clock) as engine:
    engine.import_(harbour)
    hits = engine.recall("coffee", k=3)
for hit in hits:
    print(hit.memory.content)
    print("   ", hit.explanation)

# %% [markdown]
# ## A fusion
#
# It makes one ranking of several. Here each arm that found a memory gives it one vote.


# %%
@FUSIONS.register("votes")
class Votes:
    """One vote for each arm."""

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the memories by their votes."""
        pool = Pool.of(rankings)
        votes = pool.nothing()
        for row, places in zip(votes, pool.places, strict=True):
            row[places] = 1.0
        return pool.fused(votes)


check_fusion(Votes())
with Engine.open(place / "town.db", fusion=Votes(), clock=clock) as engine:
    hits = engine.recall("how does Ilse take her coffee?", k=3)
for hit in hits:
    print(hit.explanation, "|", hit.memory.content[:60])

# %% [markdown]
# ## A feature
#
# Conversations are ordered by features, each a number for every candidate. A function of a scene is
# one; weights for it can be learned, or set in `retrieval.learned`.


# %%
@FEATURES.register("exclaims")
def exclaims(scene: Turns) -> NDArray[np.float64]:
    """Return whether a turn has an exclamation mark."""
    texts = scene.turns.texts
    return np.array([float(row >= 0 and "!" in texts[row]) for row in scene.own.tolist()])


with Engine.open(place / "talk.db", clock=clock) as engine:
    engine.store.sessions.start("monday", started_at="2026-01-05T09:00:00Z")
    engine.store.sessions.add_turns(
        "monday",
        [
            {"speaker": "Ada", "content": "The ferry is late again."},
            {"speaker": "Mel", "content": "I won the pie contest at the ferry landing!"},
        ],
    )
    engine.embed()
    table = engine.features("who is glad at the ferry?", ["exclaims"])
table.to_polars()

# %% [markdown]
# ## A step of a dream
#
# It looks at columns and says what it would change, each change with its reason; it never writes.
# It leaves out what is protected, and plans nothing more once its plan was carried out. This one
# archives what ceased to hold long ago.


# %%
class Bury:
    """Archives what was replaced long ago."""

    name = "bury"

    def __init__(self, days: float = 180.0) -> None:
        self.parameters = {"days": days}

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Yield a change for each memory that ceased to hold so many days ago."""
        columns, most = view.columns, scene.now_s - 86_400 * self.parameters["days"]
        over = view.findable & ~view.protected & (columns.valid_to < most)
        for row in np.flatnonzero(over).tolist():
            yield Change(
                step=self.name,
                action="update",
                id=columns.ids[row],
                fields={"lifecycle": "archived"},
                reason="it ceased to hold long ago",
                seen=int(columns.version[row]),
            )


STEPS.add("bury", lambda settings: Bury())  # noqa: ARG005 - it has no settings
check_step(Bury())

# %%
with Engine.open(place / "town.db", clock=clock) as engine:
    report = engine.dream("harbour", steps=[Bury()])
    print(report)
    for change in report.changes[:3]:
        print("   ", engine.get(change.id).content[:70], "|", change.reason)
    print(engine.undo(report.run_id))

# %% [markdown]
# ## In a package
#
# A package of yours declares the same objects under entry points such as `engram_lab.embedders`,
# `engram_lab.rerankers` or `engram_lab.dream_steps`, and then the command line finds them too.
# Whether a part is worth having is for an evaluation to say, as in the notebook on evaluation.

# %%
folder.cleanup()
