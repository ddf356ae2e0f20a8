# %% [markdown]
# # Tune, promote and serve
#
# A setting is worth changing when it makes answers better where it was not tuned. This notebook
# searches one setting, judges the choice on conversations that had no say in it, lets a gate decide
# whether the result is no worse than what stands, ships the configuration with its evidence as one
# file, and opens an engine from that file.
#
# Vectors are made by hashing here, which takes no time. The seed of the search is given; the clock
# stands still.

# %%
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from warnings import filterwarnings

import polars as pl

from engram_lab import ManualClock
from engram_lab.core.errors import PromotionRefusedError
from engram_lab.engine import read_bundle
from engram_lab.evaluation import (
    Dataset,
    Plan,
    SystemSpec,
    base_of,
    judge,
    load_dataset,
    load_suite,
    promote,
    read_space,
    run_suite,
    tune_suite,
    update_baseline,
    write_gate_report,
)

filterwarnings("ignore", message="IProgress")  # Optuna's bars, of which none is shown
folder = TemporaryDirectory()
place = Path(folder.name)
clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))

# %% [markdown]
# ## What is tuned
#
# The system that stands: words, and vectors made by hashing, fused with equal weight. The space
# says which settings may be changed, and within which bounds.

# %%
stands = SystemSpec(
    name="stands",
    settings={
        "retrieval": {"profile": "neutral", "strategy": "hybrid", "fusion": "weighted"},
        "embedding": {"model": "hashing"},
    },
)
space = read_space("weighted")
space.to_dict()

# %% [markdown]
# ## Search
#
# Each trial is evaluated on all questions, and its values are kept question by question. For each
# fold of conversations the best trial on the *others* is taken, and scored on the fold: that is
# what the comparison is of. A ledger keeps who tuned on what, and how often anybody looked at what
# was held out.
#
# To be quick, every other question of the corpus is asked, of all conversations.

# %%
suite, tiny = load_suite("tiny"), load_dataset("tiny")
questions = tiny.queries.gather_every(2)
judgements = tiny.qrels.join(questions, left_on="query_id", right_on="id", how="semi")
half = Dataset.from_frames(
    memories=tiny.memories, queries=questions, qrels=judgements, id="every-other"
)

# %%
plan = Plan(space=space, measure="nDCG@10", trials=5, base=base_of(stands), seed=1)
found = tune_suite(suite, half, plan, out=place / "tuned", clock=clock)
tuned = found.tuned
pl.DataFrame(
    [
        {"trial": number, **(trial.settings or {"retrieval.dense_share": None})}
        for number, trial in enumerate(tuned.trials)
    ]
)

# %% [markdown]
# The best on everything, which flatters itself; and the honest figures, from where it was not
# tuned. Where that is no better, leave things as they are: the warnings say so.

# %%
headline = tuned.comparison.contrasts[0]
print("best settings:", dict(tuned.best.settings))
print("default:", headline.mean_a)
print("tuned, where it was not tuned:", tuned.held_out)
print("difference:", headline.delta, "from", headline.low, "to", headline.high, "p =", headline.p)
print(*tuned.warnings, sep="\n")

# %% [markdown]
# ## A baseline, and a gate
#
# The run of the system that stands becomes the baseline; a reason belongs to it.

# %%
before = run_suite(suite, [stands], out=place / "before", dataset=half, clock=clock, guards=False)
baseline = update_baseline(place / "baseline.json", before, reason="the first", clock=clock)
baseline.systems["stands"].means()

# %% [markdown]
# Now the candidate under the same name, since it is to take that place. Its run also probes what
# must hold exactly, such as that nothing is found which was deleted; no mean makes up for that.

# %%
candidate = SystemSpec(name="stands", settings=tuned.config.to_dict())
after = run_suite(suite, [candidate], out=place / "after", dataset=half, clock=clock)
pl.DataFrame(
    [{"guard": name, **told} for name, told in after.results["systems"][0]["guards"].items()]
)

# %%
verdict = judge(after, baseline, suite.gate)
print(verdict.verdict)
for check in verdict.checks[:8]:
    print(check.status, "|", check.said)

# %% [markdown]
# A gate has to be able to say no. Here is a run of a system that was broken on purpose: it no
# longer looks at words, and its vectors are far too short.

# %%
broken = SystemSpec(
    name="stands",
    settings={
        "retrieval": {"profile": "neutral", "strategy": "semantic"},
        "embedding": {"model": "hashing", "dim": 16},
    },
)
worse = run_suite(suite, [broken], out=place / "worse", dataset=half, clock=clock, guards=False)
refused = judge(worse, baseline, suite.gate)
write_gate_report(refused, worse.path)
print(refused.verdict)
print(refused.failed[0].said)
try:
    promote(worse, "stands", place / "worse.bundle")
except PromotionRefusedError as error:
    print(str(error)[:200])

# %% [markdown]
# ## Promote
#
# What passed is written as a bundle: the configuration, the record of the run, the evidence, and a
# checksum of each. The verdict has to lie beside the run.

# %%
write_gate_report(verdict, after.path)
bundle_file = promote(after, "stands", place / "tuned.bundle")
bundle = read_bundle(bundle_file)
print(bundle.system, "|", bundle.embedder, "|", bundle.manifest["suite"])
print("dense_share:", bundle.config.retrieval.dense_share)

# %% [markdown]
# ## Serve
#
# A bundle opens an engine of exactly that configuration, and refuses where the vectors would be
# made by another model than that of the evidence.

# %%
with bundle.open(place / "memory.db", clock=clock) as engine:
    engine.remember("The spare key is with the harbour master")
    engine.remember("The harbour master is away in August")
    hits = engine.recall("who has the spare key?", k=2)
hits

# %% [markdown]
# The same file goes to the server, over REST and MCP, for everybody or for the tenants that you
# name:
#
# ```console
# engram serve --bundle tuned.bundle
# engram serve --bundle canary=tuned.bundle
# ```

# %%
folder.cleanup()
