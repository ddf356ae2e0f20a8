-- Events of days before `since` may go: they are in the sums of their days, which stay.
CREATE TABLE usage_bounds (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    since TEXT NOT NULL CHECK (since IS date(since))
) STRICT

INSERT INTO usage_bounds (id, since) VALUES (1, '0001-01-01')

-- Their sums could not be made anew: a bound never goes back.
CREATE TRIGGER usage_bounds_go_on BEFORE UPDATE ON usage_bounds WHEN NEW.since < OLD.since
BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END

CREATE TRIGGER usage_bounds_stay BEFORE DELETE ON usage_bounds
BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END

DROP TRIGGER usage_events_stay

-- A purge of a deleted tenant is the other way out.
CREATE TRIGGER usage_events_stay BEFORE DELETE ON usage_events
WHEN OLD.day >= coalesce((SELECT since FROM usage_bounds), '')
    AND (SELECT state FROM tenants WHERE id = OLD.tenant_id) IS NOT 'deleted'
BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END
