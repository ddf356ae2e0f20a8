-- Times are microseconds since 1970-01-01 UTC. `pk` is the change number that first wrote a memory:
-- unique, rising and never used again, also after a purge. It never leaves this folder.

CREATE TABLE workspaces (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    description TEXT,
    max_age_days REAL,
    max_memories INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The change log. Its numbers have no gaps: rows are only ever added, within the transaction of the
-- change itself. Author and reason of every version live here, found by `seq`.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER,
    author TEXT NOT NULL,
    reason TEXT
) STRICT;

-- The present state of every memory, forgotten ones included.
CREATE TABLE memories (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL,
    public_content TEXT, -- content without its private sections, where it has any
    public_hash TEXT, -- the content_hash of that
    type TEXT NOT NULL,
    tags TEXT NOT NULL, -- JSON
    metadata TEXT NOT NULL, -- JSON
    importance REAL NOT NULL,
    workspace TEXT NOT NULL,
    scope TEXT NOT NULL,
    tier TEXT NOT NULL,
    event_at INTEGER,
    valid_from INTEGER,
    valid_to INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_accessed_at INTEGER,
    access_count INTEGER NOT NULL,
    expires_at INTEGER,
    lifecycle TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    version INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    media_url TEXT,
    session_id TEXT,
    agent_id TEXT,
    source TEXT,
    snapshot_origin TEXT,
    snapshot_loaded_at INTEGER,
    forgotten_at INTEGER,
    seq INTEGER NOT NULL -- the change that made this state
) STRICT;

CREATE INDEX memories_by_workspace ON memories (workspace, id);
CREATE INDEX memories_by_hash ON memories (content_hash);
CREATE INDEX memories_by_session ON memories (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX memories_by_expiry ON memories (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX memories_by_event ON memories (event_at) WHERE event_at IS NOT NULL;

-- States that a later version took the place of. The present one is never stored twice.
CREATE TABLE versions (
    pk INTEGER NOT NULL,
    id TEXT NOT NULL REFERENCES memories (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    public_content TEXT,
    public_hash TEXT,
    type TEXT NOT NULL,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    importance REAL NOT NULL,
    workspace TEXT NOT NULL,
    scope TEXT NOT NULL,
    tier TEXT NOT NULL,
    event_at INTEGER,
    valid_from INTEGER,
    valid_to INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_accessed_at INTEGER,
    access_count INTEGER NOT NULL,
    expires_at INTEGER,
    lifecycle TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    version INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    media_url TEXT,
    session_id TEXT,
    agent_id TEXT,
    source TEXT,
    snapshot_origin TEXT,
    snapshot_loaded_at INTEGER,
    forgotten_at INTEGER,
    seq INTEGER NOT NULL,
    superseded_at INTEGER NOT NULL,
    UNIQUE (id, version)
) STRICT;

-- Indexes of tags and metadata, derived from the columns of the same names.
CREATE TABLE memory_tags (
    tag TEXT NOT NULL,
    pk INTEGER NOT NULL,
    PRIMARY KEY (tag, pk)
) STRICT, WITHOUT ROWID;

-- Booleans are blobs (x'00', x'01'), so that true is not 1 and numbers sort apart from texts.
CREATE TABLE memory_metadata (
    path TEXT NOT NULL,
    value ANY NOT NULL,
    pk INTEGER NOT NULL,
    PRIMARY KEY (path, value, pk)
) STRICT, WITHOUT ROWID;

-- What may be searched: the public text of what is not forgotten.
CREATE VIEW searchable AS
SELECT pk, coalesce(public_content, content) AS content, tags
FROM memories
WHERE forgotten_at IS NULL;

CREATE VIRTUAL TABLE memories_fts USING fts5 (
    content,
    tags,
    content = 'searchable',
    content_rowid = 'pk',
    tokenize = 'porter unicode61'
);
-- A purged word leaves the index at once, not with some later merge.
INSERT INTO memories_fts (memories_fts, rank) VALUES ('secure-delete', 1);

CREATE TABLE links (
    id TEXT PRIMARY KEY,
    from_pk INTEGER NOT NULL REFERENCES memories (pk) ON DELETE CASCADE,
    to_pk INTEGER NOT NULL REFERENCES memories (pk) ON DELETE CASCADE,
    type TEXT NOT NULL,
    weight REAL NOT NULL,
    confidence REAL NOT NULL,
    source TEXT NOT NULL,
    context TEXT,
    valid_from INTEGER,
    valid_to INTEGER,
    pinned INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Between two memories at most one link of a type is open at a time.
CREATE UNIQUE INDEX links_open ON links (from_pk, to_pk, type) WHERE valid_to IS NULL;
CREATE INDEX links_from ON links (from_pk);
CREATE INDEX links_to ON links (to_pk);

CREATE TABLE recall_events (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    query TEXT NOT NULL,
    workspace TEXT,
    agent_id TEXT,
    session_id TEXT,
    strategy TEXT,
    config_hash TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE recall_hits (
    event_id TEXT NOT NULL REFERENCES recall_events (id) ON DELETE CASCADE,
    rank INTEGER NOT NULL,
    pk INTEGER NOT NULL REFERENCES memories (pk) ON DELETE CASCADE,
    score REAL NOT NULL,
    PRIMARY KEY (event_id, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX recall_hits_by_memory ON recall_hits (pk);

CREATE TABLE embedders (
    number INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    dim INTEGER NOT NULL
) STRICT;

CREATE TABLE vectors (
    pk INTEGER NOT NULL REFERENCES memories (pk) ON DELETE CASCADE,
    embedder INTEGER NOT NULL REFERENCES embedders (number),
    data BLOB NOT NULL, -- float32, little-endian
    created_at INTEGER NOT NULL,
    PRIMARY KEY (pk, embedder)
) STRICT;

CREATE TABLE identities (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_aliases (
    normalised TEXT PRIMARY KEY,
    alias TEXT NOT NULL,
    identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_aliases_by_identity ON identity_aliases (identity_id);

CREATE TABLE entities (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    normalised TEXT NOT NULL,
    kind TEXT NOT NULL,
    workspace TEXT NOT NULL,
    identity_id TEXT REFERENCES identities (id) ON DELETE SET NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace, kind, normalised)
) STRICT, WITHOUT ROWID;
CREATE INDEX entities_by_identity ON entities (identity_id) WHERE identity_id IS NOT NULL;

CREATE TABLE mentions (
    pk INTEGER NOT NULL REFERENCES memories (pk) ON DELETE CASCADE,
    entity_id TEXT NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
    confidence REAL NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (pk, entity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_by_entity ON mentions (entity_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    scope TEXT NOT NULL,
    agent_id TEXT,
    title TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    metadata TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A turn's words are a memory: stored once, searchable like any other.
CREATE TABLE turns (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    speaker TEXT NOT NULL,
    pk INTEGER NOT NULL UNIQUE REFERENCES memories (pk) ON DELETE CASCADE,
    spoken_at INTEGER,
    PRIMARY KEY (session_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    agent_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    permission TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (agent_id, scope)
) STRICT, WITHOUT ROWID;
