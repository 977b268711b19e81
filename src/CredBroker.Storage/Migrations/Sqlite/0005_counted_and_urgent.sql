-- The time by the count of what has passed, which is ahead of the clock while the host's has fallen back: a start goes on from there, so that
-- what waits by it waits no longer than it was to. 0 until the next batch.
ALTER TABLE store ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;

-- 1 where an admin's order reached a lease that was being revoked already: its next attempt comes first. 2 where an attempt was under way
-- then, which is not that one.
ALTER TABLE lease ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
DROP INDEX lease_revoking;
ALTER TABLE lease DROP COLUMN lane;
ALTER TABLE lease ADD COLUMN lane INTEGER GENERATED ALWAYS AS (
  CASE
    WHEN urgent > 0 THEN 0
    WHEN attempts > 0 OR cause = 'recovery' THEN 3
    WHEN cause IN ('admin', 'quarantine') THEN 0
    WHEN cause = 'policy-change' THEN 1
    ELSE 2
  END
) VIRTUAL;
CREATE INDEX lease_revoking ON lease (backend, lane, coalesce(next_attempt_at, 0)) WHERE state IN ('revoking', 'failed');
