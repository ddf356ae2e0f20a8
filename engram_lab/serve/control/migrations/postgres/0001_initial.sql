-- Statements are parted by empty lines. Moments are microseconds since 1970, UTC. Texts compare
-- by their bytes, as in SQLite, whatever the locale of the server is.
CREATE SCHEMA IF NOT EXISTS engram

REVOKE ALL ON SCHEMA engram FROM PUBLIC

CREATE TABLE engram.versions (
    number bigint NOT NULL PRIMARY KEY,
    name text NOT NULL,
    at bigint NOT NULL
)

CREATE TABLE engram.tenants (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    slug text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    plan text NOT NULL CHECK (plan IN ('free', 'pro', 'team', 'dedicated')),
    bundle text,
    created_at bigint NOT NULL,
    deleted_at bigint
)

CREATE TABLE engram.members (
    tenant_id text COLLATE "C" NOT NULL REFERENCES engram.tenants (id),
    user_id text COLLATE "C" NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    email text,
    joined_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
)

CREATE TABLE engram.invites (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL REFERENCES engram.tenants (id),
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    token_hash text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    expires_at bigint NOT NULL,
    accepted_at bigint,
    accepted_by text
)

CREATE INDEX invites_of_tenant ON engram.invites (tenant_id, created_at, id)

CREATE TABLE engram.workspaces (
    tenant_id text COLLATE "C" NOT NULL REFERENCES engram.tenants (id),
    name text COLLATE "C" NOT NULL,
    db_path text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, name)
)

CREATE TABLE engram.api_keys (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL REFERENCES engram.tenants (id),
    name text NOT NULL,
    prefix text COLLATE "C" NOT NULL,
    hash text NOT NULL,
    environment text NOT NULL CHECK (environment IN ('live', 'test')),
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    expires_at bigint,
    last_used_at bigint,
    revoked_at bigint
)

CREATE INDEX api_keys_by_prefix ON engram.api_keys (prefix)

CREATE INDEX api_keys_of_tenant ON engram.api_keys (tenant_id, created_at, id)

-- Without a reference to tenants: what is told late of a purged one must not stop the rest.
CREATE TABLE engram.usage_events (
    tenant_id text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    workspace text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    day date NOT NULL,
    route text NOT NULL,
    status bigint NOT NULL,
    api_calls bigint NOT NULL CHECK (api_calls >= 0),
    searches bigint NOT NULL CHECK (searches >= 0),
    memories_created bigint NOT NULL CHECK (memories_created >= 0),
    PRIMARY KEY (tenant_id, request_id)
)

CREATE INDEX usage_events_of_day ON engram.usage_events (day, tenant_id, workspace)

CREATE TABLE engram.usage_daily (
    tenant_id text COLLATE "C" NOT NULL,
    workspace text COLLATE "C" NOT NULL,
    day date NOT NULL,
    api_calls bigint NOT NULL DEFAULT 0,
    searches bigint NOT NULL DEFAULT 0,
    memories_created bigint NOT NULL DEFAULT 0,
    memories_stored bigint NOT NULL DEFAULT 0 CHECK (memories_stored >= 0),
    storage_bytes bigint NOT NULL DEFAULT 0 CHECK (storage_bytes >= 0),
    PRIMARY KEY (tenant_id, day, workspace)
)

CREATE INDEX usage_daily_of_day ON engram.usage_daily (day)

-- The operator's own chain has '' for a tenant. No reference: it outlives a purged tenant.
CREATE TABLE engram.audit (
    tenant_id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    target text,
    outcome text NOT NULL,
    request_id text,
    details text NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (tenant_id, number),
    UNIQUE (tenant_id, id)
)

CREATE TABLE engram.audit_heads (
    tenant_id text COLLATE "C" NOT NULL PRIMARY KEY,
    number bigint NOT NULL,
    hash text NOT NULL
)

-- Who asks is told for one transaction, as `{"tenant_id": ..., "sub": ...}`. Nothing told is
-- nothing shown; what is no JSON is an error.
CREATE FUNCTION engram.claim(name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> name $$

-- The tenant that whoever asks is within: a person that is named must be a member of it.
CREATE FUNCTION engram.entered() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT nullif(engram.claim('tenant_id'), '')
    WHERE engram.claim('sub') IS NULL OR EXISTS (
        SELECT FROM engram.members
        WHERE tenant_id = engram.claim('tenant_id') AND user_id = engram.claim('sub')
    )
$$

ALTER TABLE engram.tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.invites ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.workspaces ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.usage_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.usage_daily ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

ALTER TABLE engram.audit_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

CREATE POLICY of_the_owner ON engram.tenants TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.members TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.invites TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.workspaces TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.api_keys TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.usage_events TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.usage_daily TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.audit TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_the_owner ON engram.audit_heads TO CURRENT_USER
USING (true) WITH CHECK (true)

CREATE POLICY of_its_tenant ON engram.tenants
USING (id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.members
USING (tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.invites
USING (tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.workspaces
USING (tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.api_keys
USING (tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.usage_events
USING (tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.usage_daily
USING (tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.audit FOR SELECT
USING (tenant_id = (SELECT engram.entered()))

-- The operator's chain can be added to, and not read.
CREATE POLICY appended ON engram.audit FOR INSERT
WITH CHECK (tenant_id = '' OR tenant_id = (SELECT engram.entered()))

CREATE POLICY of_its_tenant ON engram.audit_heads FOR SELECT
USING (tenant_id = '' OR tenant_id = (SELECT engram.entered()))

-- The questions before it is known who asks.
CREATE FUNCTION engram.tenant_by_slug(of_slug text) RETURNS SETOF engram.tenants
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM engram.tenants WHERE slug = of_slug $$

CREATE FUNCTION engram.tenant_by_id(of_id text) RETURNS SETOF engram.tenants
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM engram.tenants WHERE id = of_id $$

CREATE FUNCTION engram.keys_by_prefix(of_prefix text) RETURNS SETOF engram.api_keys
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM engram.api_keys WHERE prefix = of_prefix ORDER BY created_at, id $$

CREATE FUNCTION engram.membership(of_tenant text, of_user text) RETURNS SETOF engram.members
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM engram.members WHERE tenant_id = of_tenant AND user_id = of_user $$

CREATE FUNCTION engram.invite_by_hash(of_hash text) RETURNS SETOF engram.invites
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM engram.invites WHERE token_hash = of_hash $$

-- Which of these ids an audit has already; tells nothing of any other entry.
CREATE FUNCTION engram.audit_known(of_tenant text, ids text) RETURNS TABLE (id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT audit.id FROM engram.audit
    WHERE audit.tenant_id = of_tenant
        AND audit.id = ANY (ARRAY(SELECT json_array_elements_text(ids::json)))
$$

-- When keys were used last, by id; never an earlier moment.
CREATE FUNCTION engram.note_use(moments text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE engram.api_keys
    SET last_used_at = greatest(last_used_at, told.value::bigint)
    FROM json_each_text(moments::json) AS told
    WHERE api_keys.id = told.key
$$

CREATE FUNCTION engram.add_to_day() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO engram.usage_daily AS daily
        (tenant_id, workspace, day, api_calls, searches, memories_created)
    VALUES (NEW.tenant_id, NEW.workspace, NEW.day, NEW.api_calls, NEW.searches,
            NEW.memories_created)
    ON CONFLICT (tenant_id, day, workspace) DO UPDATE SET
        api_calls = daily.api_calls + excluded.api_calls,
        searches = daily.searches + excluded.searches,
        memories_created = daily.memories_created + excluded.memories_created;
    RETURN NULL;
END
$$

CREATE TRIGGER usage_events_summed AFTER INSERT ON engram.usage_events
FOR EACH ROW EXECUTE FUNCTION engram.add_to_day()

CREATE FUNCTION engram.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$

-- A purge of a deleted tenant is the one way out.
CREATE FUNCTION engram.refuse_unless_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM engram.tenants WHERE id = OLD.tenant_id AND state = 'deleted') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$

CREATE TRIGGER usage_events_stay_as_they_are BEFORE UPDATE ON engram.usage_events
FOR EACH ROW EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER usage_events_stay BEFORE DELETE ON engram.usage_events
FOR EACH ROW EXECUTE FUNCTION engram.refuse_unless_deleted()

CREATE TRIGGER usage_events_are_not_emptied BEFORE TRUNCATE ON engram.usage_events
FOR EACH STATEMENT EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON engram.audit
FOR EACH ROW EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON engram.audit
FOR EACH STATEMENT EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER audit_heads_stay BEFORE DELETE ON engram.audit_heads
FOR EACH ROW EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER audit_heads_go_on BEFORE UPDATE ON engram.audit_heads
FOR EACH ROW WHEN (NEW.number <> OLD.number + 1) EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER audit_heads_are_not_emptied BEFORE TRUNCATE ON engram.audit_heads
FOR EACH STATEMENT EXECUTE FUNCTION engram.refuse_change()

-- Each entry is the next one of its chain, or is refused: a chain cannot fork.
CREATE FUNCTION engram.chain_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    head engram.audit_heads;
BEGIN
    SELECT * INTO head FROM engram.audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
    IF NEW.number <> coalesce(head.number, 0) + 1
        OR NEW.previous <> coalesce(head.hash, repeat('0', 64)) THEN
        RAISE EXCEPTION 'audit: not the next entry of its chain';
    END IF;
    INSERT INTO engram.audit_heads (tenant_id, number, hash)
    VALUES (NEW.tenant_id, NEW.number, NEW.hash)
    ON CONFLICT (tenant_id) DO UPDATE SET number = excluded.number, hash = excluded.hash;
    RETURN NEW;
END
$$

CREATE TRIGGER audit_chained BEFORE INSERT ON engram.audit
FOR EACH ROW EXECUTE FUNCTION engram.chain_audit()

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA engram FROM PUBLIC
