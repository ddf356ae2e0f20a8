# %% [markdown]
# # Fusion and explanations
#
# A recall asks two arms, words and meaning, and makes one order of what they found. This notebook
# takes that order apart: what each arm said, how it was weighed, and what a second look changed.
# The scores of one answer order that answer; they mean nothing beside those of another.

# %%
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from engram_lab import Engine, EngineConfig, Hits, ManualClock, plots
from engram_lab.evaluation.shipped import shipped

folder = TemporaryDirectory()
place = Path(folder.name)
harbour = shipped("datasets") / "harbour" / "memories.jsonl"
clock = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))
engine = Engine.open(place / "harbour.db", clock=clock)
engine.import_(harbour)

# %% [markdown]
# ## One hit, taken apart
#
# `explain=True` also marks the words of the question in the text. An explanation lists the arms
# that took part: the rank and the score that each gave, and what that contributed.

# %%
question = "who is allergic to nuts?"
hits = engine.recall(question, k=5, explain=True)
first = hits[0]
print(first.explanation.words)
for arm in first.explanation.arms:
    print(arm.name, "| rank", arm.rank, "| its own score", arm.score, "| adds", arm.contribution)

# %% [markdown]
# The score is exactly the sum of the contributions, added from left to right.

# %%
for hit in hits:
    total = sum((arm.contribution for arm in hit.explanation.arms), 0.0)
    print(hit.rank, hit.score, total == hit.score)

# %% [markdown]
# The same as a frame, one row for each hit and arm.


# %%
def anatomy(hits: Hits) -> pl.DataFrame:
    """Return a row for each hit and arm."""
    return pl.DataFrame(
        [
            {
                "rank": hit.rank,
                "arm": arm.name,
                "rank in arm": arm.rank,
                "contribution": arm.contribution,
                "memory": hit.memory.content[:60],
            }
            for hit in hits
            for arm in hit.explanation.arms
        ]
    )


anatomy(hits)

# %%
plots.score_anatomy(hits)

# %% [markdown]
# ## One arm alone
#
# `strategy` asks for words or meaning alone. Where the two disagree, fusion has something to do.

# %%
by_words = engine.recall(question, k=10, strategy="keyword")
by_meaning = engine.recall(question, k=10, strategy="semantic")
words, meaning = ({hit.id for hit in each} for each in (by_words, by_meaning))
print("found by both:", len(words & meaning))
print("by words alone:", len(words - meaning))
print("by meaning alone:", len(meaning - words))

# %% [markdown]
# The overlap of the arms in one answer that both took part in.

# %%
plots.arm_overlap(engine.recall(question, k=10))

# %% [markdown]
# ## Three ways to fuse
#
# `adaptive` weighs the arms question by question, by how far the best of each stand out. `weighted`
# has one weight for all questions, over scores made comparable. `rrf` looks at ranks alone. A
# configuration names one; the rest of the settings stay as they are.

# %%
harder = "what went wrong with the tides?"
ways = {}
for fusion in ("adaptive", "weighted", "rrf"):
    config = EngineConfig.from_dict(
        {
            "retrieval": {"fusion": fusion, "profile": "neutral"},
            "learning": {"record_recalls": False},
        }
    )
    with Engine.open(place / "harbour.db", config=config, clock=clock) as other:
        ways[fusion] = other.recall(harder, k=5)

pl.DataFrame({fusion: [hit.memory.content[:50] for hit in found] for fusion, found in ways.items()})

# %% [markdown]
# The contributions tell how the arms were weighed in each case.

# %%
for fusion, found in ways.items():
    print(fusion, "|", found[0].explanation)

# %% [markdown]
# ## A second look
#
# Rerankers take their turn after the fusion, and each says what it made of the score. Here the
# importance of a memory, and how long ago it happened, may change a score by a bounded factor.

# %%
config = EngineConfig.from_dict(
    {"retrieval": {"importance_weight": 0.3, "recency_weight": 0.2, "profile": "neutral"}}
)
with Engine.open(place / "harbour.db", config=config, clock=clock) as other:
    looked_at_again = other.recall(question, k=5)
for hit in looked_at_again:
    print(hit.rank, hit.memory.content[:60])
    print("   ", hit.explanation)

# %% [markdown]
# `mmr_lambda` trades nearness for variety, so that the answer does not say one thing three times.

# %%
config = EngineConfig.from_dict({"retrieval": {"mmr_lambda": 0.5, "profile": "neutral"}})
with Engine.open(place / "harbour.db", config=config, clock=clock) as other:
    varied = other.recall("when is the launch of Petrel?", k=4)
plain = engine.recall("when is the launch of Petrel?", k=4)
pl.DataFrame(
    {
        name: [hit.memory.content[:50] for hit in found]
        for name, found in {"plain": plain, "varied": varied}.items()
    }
)

# %% [markdown]
# ## Conversations
#
# Turns with speakers are ordered by some twenty features: who speaks, what stands before and after,
# times told and asked for. `reason` says which profile made the order, and why.

# %%
engine.store.sessions.start("monday", started_at="2026-03-02T09:00:00Z")
engine.store.sessions.add_turns(
    "monday",
    [
        {"speaker": "Ada", "content": "Did you ever get to that pottery class, Mel?"},
        {"speaker": "Melanie", "content": "Yes, last Saturday. I made a bowl!"},
        {"speaker": "Ada", "content": "Lovely. Bring it on Friday?"},
    ],
)
engine.embed()
turns = engine.recall("When did Mel go to her pottery class?", k=3, filter={"session_id": "monday"})
print(turns.reason)
turns

# %% [markdown]
# Features are the arms of this profile, so the explanation is a sum again.

# %%
parts = pl.DataFrame(
    [{"feature": arm.name, "contribution": arm.contribution} for arm in turns[0].explanation.arms]
)
parts.sort(pl.col("contribution").abs(), descending=True).head(8)

# %%
engine.close()
folder.cleanup()
