-- Events of days before `since` may go: they are in the sums of their days, which stay.
CREATE TABLE engram.usage_bounds (
    id bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    since date NOT NULL
)

ALTER TABLE engram.usage_bounds ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY

-- No other policy: to a tenant, and to the server's role, it is empty.
CREATE POLICY of_the_owner ON engram.usage_bounds TO CURRENT_USER
USING (true) WITH CHECK (true)

INSERT INTO engram.usage_bounds (id, since) VALUES (1, '0001-01-01')

-- Their sums could not be made anew: a bound never goes back.
CREATE TRIGGER usage_bounds_go_on BEFORE UPDATE ON engram.usage_bounds
FOR EACH ROW WHEN (NEW.since < OLD.since) EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER usage_bounds_stay BEFORE DELETE ON engram.usage_bounds
FOR EACH ROW EXECUTE FUNCTION engram.refuse_change()

CREATE TRIGGER usage_bounds_are_not_emptied BEFORE TRUNCATE ON engram.usage_bounds
FOR EACH STATEMENT EXECUTE FUNCTION engram.refuse_change()

-- A purge of a deleted tenant is the other way out.
CREATE FUNCTION engram.refuse_unless_over() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.day < (SELECT since FROM engram.usage_bounds)
        OR EXISTS (SELECT FROM engram.tenants WHERE id = OLD.tenant_id AND state = 'deleted') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$

REVOKE ALL ON FUNCTION engram.refuse_unless_over FROM PUBLIC

DROP TRIGGER usage_events_stay ON engram.usage_events

CREATE TRIGGER usage_events_stay BEFORE DELETE ON engram.usage_events
FOR EACH ROW EXECUTE FUNCTION engram.refuse_unless_over()

DROP FUNCTION engram.refuse_unless_deleted()
