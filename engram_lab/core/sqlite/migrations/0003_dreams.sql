-- What dreams did, in the order in which they were carried out.
CREATE TABLE dream_runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    status TEXT NOT NULL, -- applied or undone
    author TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    undone_at INTEGER,
    memories_before INTEGER NOT NULL,
    memories_after INTEGER NOT NULL,
    tokens_before INTEGER NOT NULL,
    tokens_after INTEGER NOT NULL,
    state TEXT NOT NULL, -- JSON: where the next one goes on
    stopped TEXT,
    first_seq INTEGER NOT NULL, -- all its changes stand in the log from here
    last_seq INTEGER NOT NULL -- to here; before `first_seq` where it changed nothing
) STRICT;
CREATE INDEX dream_runs_by_workspace ON dream_runs (workspace);

-- What each step of a dream did.
CREATE TABLE consolidation_runs (
    run INTEGER NOT NULL REFERENCES dream_runs (number) ON DELETE CASCADE,
    place INTEGER NOT NULL, -- in the dream, from 0
    step TEXT NOT NULL,
    parameters TEXT NOT NULL, -- JSON
    remembered INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    linked INTEGER NOT NULL,
    unlinked INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    seconds REAL NOT NULL,
    stopped TEXT,
    PRIMARY KEY (run, place)
) STRICT, WITHOUT ROWID;

-- The way back. It holds no words of a memory: the states before are in `versions`. Rows outlive the
-- memories that an undo takes away again, and go when a memory is purged.
CREATE TABLE dream_journal (
    run INTEGER NOT NULL REFERENCES dream_runs (number) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- in the order in which it was carried out, from 1
    step TEXT NOT NULL,
    action TEXT NOT NULL,
    id TEXT NOT NULL, -- of the memory or link
    pk INTEGER NOT NULL, -- the memory, or the start of the link
    to_pk INTEGER, -- the end of the link
    fields TEXT, -- JSON: as planned, but for words; NULL once a memory that it rests on was purged
    reason TEXT NOT NULL,
    sources TEXT, -- JSON; NULL for the two ends of a link
    seen INTEGER, -- version, or microseconds
    version INTEGER, -- of a memory: the one before
    seq INTEGER, -- of a memory: the change that made the state after, by which it is known again
    image TEXT, -- of a link: the row before, as JSON
    digest BLOB, -- of a link: of the row after
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- Who dreams of a workspace, and until when others leave it to them.
CREATE TABLE dream_locks (
    workspace TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Texts that wait to be put before an agent, first in, first out.
CREATE TABLE pending_injections (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    content TEXT NOT NULL,
    source TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX pending_injections_by_workspace ON pending_injections (workspace, number);

-- What was purged is known by its id, so that no import brings it back.
CREATE INDEX changes_purges ON changes (id) WHERE action = 'purge' AND target = 'memory';
