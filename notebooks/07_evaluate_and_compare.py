# %% [markdown]
# # Evaluate and compare
#
# How well does a system find what answers a question, how sure is that, and is another one better
# or was it luck? This notebook judges a few systems on the corpus that comes with the package,
# compares two of them query by query, does the same on data of your own, and scores a run file that
# no engine of ours has made.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from engram_lab import plots
from engram_lab.evaluation import (
    Dataset,
    Run,
    Suite,
    SystemSpec,
    load_dataset,
    load_suite,
    load_system,
    read_run,
    run_suite,
    score,
    write_report,
    write_run,
)

folder = TemporaryDirectory()
place = Path(folder.name)

# %% [markdown]
# ## Data
#
# A data set is three frames: what is remembered, what is asked, and what answers each question.

# %%
tiny = load_dataset("tiny")
print(tiny.memories.height, "memories,", tiny.queries.height, "questions")
tiny.queries.select("id", "corpus", "text", "category", "cluster").head(5)

# %% [markdown]
# ## A run
#
# A *suite* says what is asked and which measures count; a *system* is an engine with settings, or a
# floor to be beaten. Some are shipped, by name; one is made here. Its vectors are made by hashing,
# which takes no time; with MiniLM, `load_system("weighted")` is the same with vectors of meaning.
# Everything that was found goes into a folder.

# %%
suite = load_suite("tiny")
both = SystemSpec(
    name="both",
    title="words, and vectors made by hashing",
    settings={
        "retrieval": {"profile": "neutral", "strategy": "hybrid", "fusion": "weighted"},
        "embedding": {"model": "hashing"},
    },
)
systems = [load_system("random"), load_system("bm25"), both]
run = run_suite(suite, systems, out=place / "run", dataset=tiny, guards=False)
run

# %% [markdown]
# Each mean has an interval, for which whole conversations are drawn anew: the questions of one
# conversation are not independent.

# %%
measures = ("nDCG@10", "R@10")
means = run.to_polars()
means.filter(pl.col("measure").is_in(measures)).drop("category")

# %%
plots.forest(means, measure="nDCG@10")

# %% [markdown]
# Behind the means are values for each question, as a frame.

# %%
run.per_query.head(5)

# %% [markdown]
# ## Is it better?
#
# `compare` tests one system of a run against another on the same questions: the difference, its
# interval, and a paired randomisation test, corrected for how many such tests were made. `mde` is
# the smallest loss that this test would find most of the time; a difference that is not significant
# says little where that is large. Questions that the suite keeps apart are left out of the whole.
# Of two runs, the function `compare` of the same package takes the rows of each, as `run.of` gives
# them, and which categories are `apart`.

# %%
found = run.compare("bm25", "both", measures=measures, categories=False)
found.to_polars().select(
    *("measure", "n", "delta", "low", "high", "p_adjusted", "mde", "wins", "losses")
)

# %% [markdown]
# Read the warnings before the figures.

# %%
print(*found.warnings or ["none"], sep="\n")

# %% [markdown]
# Which questions moved the most? Those that newly fail come first.

# %%
texts = dict(tiny.queries.select("id", "text").iter_rows())
for moved in found.moved[:5]:
    print(f"{moved.before:.2f} to {moved.after:.2f}", "|", texts[moved.query_id])

# %% [markdown]
# The same of all questions: a bar for each one that moved.

# %%
plots.query_deltas(found.to_polars("moved"), measure=measures[0])

# %% [markdown]
# The report is one HTML file that needs no network.

# %%
report = write_report(run, place / "report.html", comparison=found)
print(report.name, "has", report.stat().st_size, "bytes")

# %% [markdown]
# ## Your own data
#
# Any frames with these columns will do. So few questions tell almost nothing, and the comparison
# says so.

# %%
mine = Dataset.from_frames(
    memories=pl.DataFrame(
        {
            "id": ["m1", "m2", "m3"],
            "content": [
                "The ferry leaves at eight in the morning",
                "The ferry is painted green",
                "Breakfast is served until ten",
            ],
        }
    ),
    queries=pl.DataFrame(
        {
            "id": ["q1", "q2"],
            "text": ["when does the ferry leave?", "until when can one eat in the morning?"],
        }
    ),
    qrels=pl.DataFrame({"query_id": ["q1", "q2"], "memory_id": ["m1", "m3"], "relevance": [1, 1]}),
    id="mine",
)
own_suite = Suite(id="mine", measures=("R@1", "nDCG@10"))
own_systems = [load_system("bm25"), both]
own = run_suite(own_suite, own_systems, out=place / "mine", dataset=mine, guards=False)
own.per_query

# %%
print(*own.compare("bm25", "both").warnings, sep="\n")

# %% [markdown]
# ## Somebody else's run
#
# A run is ranked ids for each question. `score` needs nothing but that and the judgements. The run
# may come from a TREC file, as most tools write it; here we write one by hand.

# %%
theirs = Run.of("theirs", [("q1", [("m2", 2.0), ("m1", 1.0)]), ("q2", [("m3", 1.0)])])
write_run(theirs, place / "theirs.trec")
score(read_run(place / "theirs.trec"), mine.qrels, measures=("R@1", "RR", "nDCG@10"))

# %%
folder.cleanup()
