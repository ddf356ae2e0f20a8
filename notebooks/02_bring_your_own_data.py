# %% [markdown]
# # Bring your own data
#
# Whatever holds rows can become memories: dicts, Arrow tables and streams, Polars frames, a
# Parquet file, a DuckDB query. And every table of a store comes out the same ways. All that is
# needed is a column `content`; other columns are taken where they are fields of a memory.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pyarrow as pa

from engram_lab import Engine, EngramError
from engram_lab.evaluation.shipped import shipped

folder = TemporaryDirectory()
place = Path(folder.name)
engine = Engine.open(place / "notes.db")

# %% [markdown]
# ## Dicts
#
# All rows go in within one transaction: every one of them, or none.

# %%
rows = [
    {"content": "The slipway is closed on Sundays", "type": "fact", "tags": ["yard"]},
    {"content": "Buy oak for the new frames", "type": "todo", "metadata": {"boat": "Petrel"}},
]
engine.remember_many(rows, workspace="dicts")

# %% [markdown]
# A row that breaks a law is refused with the reason, and then nothing was stored.

# %%
try:
    engine.remember_many(
        [{"content": "fine"}, {"content": "not fine", "importance": 7}], workspace="refused"
    )
except EngramError as error:
    print(error)
print("stored:", engine.count(workspace="refused"))

# %% [markdown]
# With `keep_going` the others are stored, and the report lists what was refused.

# %%
engine.remember_many(
    [{"content": "fine"}, {"content": "not fine", "importance": 7}],
    workspace="kept",
    keep_going=True,
)

# %% [markdown]
# ## Polars
#
# Your frame rarely has our columns, so rename what fits. A struct column called `metadata` becomes
# the metadata of each memory, which filters reach by path.

# %%
log = pl.DataFrame(
    {
        "when": ["2026-01-04", "2026-01-05", "2026-01-09"],
        "who": ["Elin", "Tomas", "Elin"],
        "entry": [
            "The harbour light was out from midnight on",
            "New lamp ordered from the mainland",
            "The new lamp is in, and the light is back",
        ],
    }
)
drafts = log.select(
    pl.col("entry").alias("content"),
    pl.lit("episodic").alias("type"),
    pl.col("when").str.to_datetime(time_zone="UTC").alias("event_at"),
    pl.struct(person=pl.col("who")).alias("metadata"),
)
engine.remember_many(drafts, workspace="polars")

# %%
engine.recall("is the light working?", k=3, filter={"metadata.person": "Elin"})

# %% [markdown]
# ## Arrow
#
# A table, a record batch or a reader: a stream is read piece by piece and never whole.

# %%
table = pa.table(
    {
        "content": ["Fog signal tested", "Fog signal silent for an hour"],
        "tags": [["signal"], ["signal", "fault"]],
        "importance": [0.3, 0.8],
    }
)
engine.remember_many(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()))

# %% [markdown]
# ## Parquet and DuckDB
#
# A DuckDB relation is rows as well, so a query over files goes straight in. Here a Parquet file is
# made first, from the town that comes with the package.

# %%
town = pl.read_ndjson(shipped("datasets") / "harbour" / "memories.jsonl", infer_schema_length=None)
town.select("content", "type", "importance", "event_at").write_parquet(place / "town.parquet")

relation = duckdb.sql(
    f"""
    SELECT content, type, importance, event_at
    FROM '{(place / "town.parquet").as_posix()}'
    WHERE type IN ('decision', 'lesson')
    """
)
report = engine.remember_many(relation, workspace="parquet")
print(len(report.ids), "stored")

# %% [markdown]
# A file of memories can also be named directly: `import_` reads Parquet, JSON Lines and JSON.

# %%
engine.import_(place / "town.parquet", workspace="imported", dedup="skip")

# %% [markdown]
# ## Out again
#
# `to_polars` and `to_arrow` give any table; `scan` gives it as a stream. The tables are `memories`,
# `versions`, `links`, `vectors`, `events` and a few more.

# %%
memories = engine.to_polars()
memories.group_by("workspace").agg(pl.len().alias("memories")).sort("workspace")

# %%
vectors = engine.to_polars("vectors")
vectors.schema

# %% [markdown]
# `duckdb()` is a live connection: its tables are those of the store as it is now, whenever asked.

# %%
live = engine.duckdb()
question = "SELECT count(*) AS todos FROM memories WHERE type = 'todo'"
before = live.sql(question).fetchall()
engine.remember("Write down where the oil for the lamp is kept", type="todo")
after = live.sql(question).fetchall()
print(before, "then", after)

# %%
live.sql(
    """
    SELECT tag, count(*) AS memories, round(avg(importance), 2) AS weight
    FROM (SELECT unnest(tags) AS tag, importance FROM memories)
    GROUP BY tag ORDER BY memories DESC, tag
    """
).pl()

# %% [markdown]
# ## A lossless copy
#
# `export` writes everything, versions and vectors included, as a folder of Parquet files. What is
# imported from it exports the same bytes.

# %%
engine.export(place / "first")
with Engine.open(place / "copy.db") as copy:
    copy.import_(place / "first")
    copy.export(place / "second")

same = {
    file.name: file.read_bytes() == (place / "second" / file.name).read_bytes()
    for file in sorted((place / "first").iterdir())
}
print(same)
assert all(same.values())  # noqa: S101 - shows the promise at work

# %%
live.close()
engine.close()
folder.cleanup()
