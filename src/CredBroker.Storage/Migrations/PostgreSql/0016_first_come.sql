-- What was never tried is due at 0, all of it: the lease that was opened first comes first. Without its id the order is that of the rows' places,
-- and a row that takes the place of an older one goes before those that have waited for longer.
DROP INDEX lease_revoking;
CREATE INDEX lease_revoking ON lease (backend, lane, (coalesce(next_attempt_at, 0)), id) WHERE state IN ('revoking', 'failed');
