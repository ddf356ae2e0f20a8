-- Statements are parted by empty lines. Moments are microseconds since 1970, UTC.
CREATE TABLE versions (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    plan TEXT NOT NULL CHECK (plan IN ('free', 'pro', 'team', 'dedicated')),
    bundle TEXT,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT

CREATE TABLE members (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    email TEXT,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT

CREATE TABLE invites (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    token_hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    accepted_at INTEGER,
    accepted_by TEXT
) STRICT

CREATE INDEX invites_of_tenant ON invites (tenant_id, created_at, id)

CREATE TABLE workspaces (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    db_path TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT

CREATE INDEX api_keys_by_prefix ON api_keys (prefix)

CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id, created_at, id)

-- Without a reference to tenants: what is told late of a purged one must not stop the rest.
CREATE TABLE usage_events (
    tenant_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    workspace TEXT NOT NULL,
    at INTEGER NOT NULL,
    day TEXT NOT NULL,
    route TEXT NOT NULL,
    status INTEGER NOT NULL,
    api_calls INTEGER NOT NULL CHECK (api_calls >= 0),
    searches INTEGER NOT NULL CHECK (searches >= 0),
    memories_created INTEGER NOT NULL CHECK (memories_created >= 0),
    PRIMARY KEY (tenant_id, request_id)
) STRICT, WITHOUT ROWID

CREATE INDEX usage_events_of_day ON usage_events (day, tenant_id, workspace)

CREATE TABLE usage_daily (
    tenant_id TEXT NOT NULL,
    workspace TEXT NOT NULL,
    day TEXT NOT NULL,
    api_calls INTEGER NOT NULL DEFAULT 0,
    searches INTEGER NOT NULL DEFAULT 0,
    memories_created INTEGER NOT NULL DEFAULT 0,
    memories_stored INTEGER NOT NULL DEFAULT 0 CHECK (memories_stored >= 0),
    storage_bytes INTEGER NOT NULL DEFAULT 0 CHECK (storage_bytes >= 0),
    PRIMARY KEY (tenant_id, day, workspace)
) STRICT, WITHOUT ROWID

CREATE INDEX usage_daily_of_day ON usage_daily (day)

-- The operator's own chain has '' for a tenant. No reference: it outlives a purged tenant.
CREATE TABLE audit (
    tenant_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    target TEXT,
    outcome TEXT NOT NULL,
    request_id TEXT,
    details TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, number),
    UNIQUE (tenant_id, id)
) STRICT

CREATE TABLE audit_heads (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID

-- One row: a number that moves with each write that a look-up could see.
CREATE TABLE revisions (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT

INSERT INTO revisions (id, number) VALUES (1, 1)

CREATE TRIGGER tenants_added AFTER INSERT ON tenants
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER tenants_changed AFTER UPDATE ON tenants
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER tenants_removed AFTER DELETE ON tenants
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER members_added AFTER INSERT ON members
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER members_changed AFTER UPDATE ON members
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER members_removed AFTER DELETE ON members
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER invites_added AFTER INSERT ON invites
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER invites_changed AFTER UPDATE ON invites
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER invites_removed AFTER DELETE ON invites
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER workspaces_added AFTER INSERT ON workspaces
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER workspaces_changed AFTER UPDATE ON workspaces
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER workspaces_removed AFTER DELETE ON workspaces
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER api_keys_added AFTER INSERT ON api_keys
BEGIN UPDATE revisions SET number = number + 1; END

-- All columns but last_used_at, which changes all the time and lets nobody in or out.
CREATE TRIGGER api_keys_changed AFTER UPDATE OF
    id, tenant_id, name, prefix, hash, environment, scopes, created_at, created_by, expires_at,
    revoked_at
ON api_keys
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER api_keys_removed AFTER DELETE ON api_keys
BEGIN UPDATE revisions SET number = number + 1; END

CREATE TRIGGER usage_events_summed AFTER INSERT ON usage_events
BEGIN
    INSERT INTO usage_daily (tenant_id, workspace, day, api_calls, searches, memories_created)
    VALUES (NEW.tenant_id, NEW.workspace, NEW.day, NEW.api_calls, NEW.searches,
            NEW.memories_created)
    ON CONFLICT (tenant_id, day, workspace) DO UPDATE SET
        api_calls = api_calls + excluded.api_calls,
        searches = searches + excluded.searches,
        memories_created = memories_created + excluded.memories_created;
END

CREATE TRIGGER usage_events_stay_as_they_are BEFORE UPDATE ON usage_events
BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END

-- A purge of a deleted tenant is the one way out.
CREATE TRIGGER usage_events_stay BEFORE DELETE ON usage_events
WHEN (SELECT state FROM tenants WHERE id = OLD.tenant_id) IS NOT 'deleted'
BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END

CREATE TRIGGER audit_chained BEFORE INSERT ON audit
WHEN NEW.number IS NOT coalesce(
        (SELECT number FROM audit_heads WHERE tenant_id = NEW.tenant_id), 0) + 1
    OR NEW.previous IS NOT coalesce(
        (SELECT hash FROM audit_heads WHERE tenant_id = NEW.tenant_id),
        '0000000000000000000000000000000000000000000000000000000000000000')
BEGIN SELECT RAISE(ABORT, 'audit: not the next entry of its chain'); END

CREATE TRIGGER audit_headed AFTER INSERT ON audit
BEGIN
    INSERT INTO audit_heads (tenant_id, number, hash)
    VALUES (NEW.tenant_id, NEW.number, NEW.hash)
    ON CONFLICT (tenant_id) DO UPDATE SET number = excluded.number, hash = excluded.hash;
END

CREATE TRIGGER audit_stays_as_it_is BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END

CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END

CREATE TRIGGER audit_heads_go_on BEFORE UPDATE ON audit_heads WHEN NEW.number <> OLD.number + 1
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END

CREATE TRIGGER audit_heads_stay BEFORE DELETE ON audit_heads
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END
