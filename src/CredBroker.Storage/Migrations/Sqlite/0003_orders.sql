-- Which leases each revocation order reached. A lease may be reached by several: each of them waits until it is over.
CREATE TABLE revocation_reach (
  revocation TEXT NOT NULL,
  lease TEXT NOT NULL,
  PRIMARY KEY (revocation, lease)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_reach_by_lease ON revocation_reach (lease);
INSERT INTO revocation_reach (revocation, lease)
  SELECT revocation_id, id FROM lease WHERE revocation_id IS NOT NULL;
DROP INDEX lease_by_order;

-- Revocations are carried out for each backend by itself, in the order of their lanes, so that one that is away holds up no other. A lease from
-- before has its credential as its backend.
ALTER TABLE lease ADD COLUMN backend TEXT NOT NULL DEFAULT '';
UPDATE lease SET backend = credential WHERE confirmed_at IS NULL;
ALTER TABLE lease ADD COLUMN lane INTEGER GENERATED ALWAYS AS (
  CASE
    WHEN attempts > 0 OR cause = 'recovery' THEN 3
    WHEN cause IN ('admin', 'quarantine') THEN 0
    WHEN cause = 'policy-change' THEN 1
    ELSE 2
  END
) VIRTUAL;
DROP INDEX lease_revoking;
CREATE INDEX lease_revoking ON lease (backend, lane, coalesce(next_attempt_at, 0)) WHERE state IN ('revoking', 'failed');

-- Admins' orders are enumerated before the closings of tasks.
DROP INDEX revocation_order_open;
CREATE INDEX revocation_order_open ON revocation_order (cause = 'task-closed', fence) WHERE enumerated_at IS NULL;
