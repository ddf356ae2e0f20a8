-- What tells this store from every other but its own copies: see `Corpus.stamp`.
CREATE TABLE store_mark (
    mark BLOB NOT NULL
) STRICT;
INSERT INTO store_mark VALUES (randomblob(16));

-- How far the queue of each embedder has followed the change log. An embedder has its queue before
-- its first vector, and so before its row in `embedders`, which knows a dimension.
CREATE TABLE embedding_queues (
    number INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    filled INTEGER, -- the last memory that was looked at to fill it; NULL once all were
    seq INTEGER NOT NULL, -- the last change that was taken into account
    steps INTEGER NOT NULL -- counts claims and failures, and so numbers them
) STRICT;

-- The memories that lack a vector, as far as the change log was followed.
CREATE TABLE embedding_queue (
    pk INTEGER NOT NULL REFERENCES memories (pk) ON DELETE CASCADE,
    queue INTEGER NOT NULL REFERENCES embedding_queues (number) ON DELETE CASCADE,
    since INTEGER NOT NULL, -- the change since which it waits
    due_at INTEGER, -- when it may be claimed, also if it is claimed; NULL where it has failed
    ticket TEXT, -- the claim it is under, if any
    version INTEGER, -- the version of the memory that was claimed last
    attempts INTEGER NOT NULL, -- claims, but for those that were given back
    failure INTEGER, -- the step at which it failed last, if it did
    error TEXT,
    PRIMARY KEY (pk, queue)
) STRICT, WITHOUT ROWID;

CREATE INDEX embedding_queue_by_turn ON embedding_queue (queue, since, pk, due_at)
WHERE due_at IS NOT NULL;
CREATE INDEX embedding_queue_failures ON embedding_queue (queue, failure)
WHERE failure IS NOT NULL;

-- Few are archived, and a recall leaves them out.
CREATE INDEX memories_archived ON memories (pk) WHERE lifecycle = 'archived';
