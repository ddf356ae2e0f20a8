"""What a store of memories is, whatever holds it.

A store speaks of memories, filters and changes; nothing here says SQL, row or file, so that another
database can take the place of SQLite. Its rooms are `Memories`, what belongs to them (`Links`,
`Entities`, `Identities`, `Vectors`, `Sessions`, `Events`), who may reach them (`Workspaces`,
`Grants`), and what is read whole (`ChangeLog`, `Tables`, `Loader`, `Doctor`). Whether a store keeps
these contracts, `engram_lab.testing.check_store` will tell.

Guarantees of every method that writes: it is one transaction, all or nothing; once it returns, what
it wrote is as durable as the store's settings say. What it did to memories, links and vectors is in
the change log. A method that is refused writes nothing.

Guarantees of every method that reads: it changes nothing. It shows no memory that has expired, or
lies out of the reach of whoever asks: such a one is to them as if it were not (`NotFoundError`). It
shows no `<private>` section unless the owner asks for it (`private`); an agent that does is refused
(`AccessDeniedError`).

Not guaranteed: that two reads see the same state, unless within one `Tables.snapshot`. Times that
are given are aware. Any method may raise `StoreError`, whose leaves say what the database met.
"""

from engram_lab.core.protocols.corpus import (
    Corpus,
    LinkRows,
    SpokenTurns,
    TextChanges,
    TurnPlace,
    VectorChanges,
)
from engram_lab.core.protocols.dreaming import (
    Changed,
    Details,
    Dreams,
    Injections,
    LinkColumns,
    MemoryColumns,
)
from engram_lab.core.protocols.graph import Entities, Identities, Links
from engram_lab.core.protocols.memories import Memories
from engram_lab.core.protocols.reach import Grants, Workspaces
from engram_lab.core.protocols.records import Events, Sessions, Vectors
from engram_lab.core.protocols.store import HasBackups, Store
from engram_lab.core.protocols.waiting import (
    EmbeddingCache,
    EmbeddingQueue,
    QueueCounts,
    Waiting,
)
from engram_lab.core.protocols.whole import Backups, ChangeLog, Chunk, Doctor, Loader, Tables

__all__ = [
    "Backups",
    "ChangeLog",
    "Changed",
    "Chunk",
    "Corpus",
    "Details",
    "Doctor",
    "Dreams",
    "EmbeddingCache",
    "EmbeddingQueue",
    "Entities",
    "Events",
    "Grants",
    "HasBackups",
    "Identities",
    "Injections",
    "LinkColumns",
    "LinkRows",
    "Links",
    "Loader",
    "Memories",
    "MemoryColumns",
    "QueueCounts",
    "Sessions",
    "SpokenTurns",
    "Store",
    "Tables",
    "TextChanges",
    "TurnPlace",
    "VectorChanges",
    "Vectors",
    "Waiting",
    "Workspaces",
]
