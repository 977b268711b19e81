-- What an admin refuses to have issued or renewed, for a time (until set) or until it is lifted. Rows stay: they say who held what, and why it was lifted.
CREATE TABLE hold (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  selector TEXT NOT NULL,
  reason TEXT NOT NULL,
  placed_by TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  until INTEGER,
  revocation_id TEXT,
  lifted_at INTEGER,
  lifted_by TEXT,
  lift_reason TEXT
) STRICT;

-- Those that may be in force, by when they lapse: what has lapsed costs the check of a new lease nothing.
CREATE INDEX hold_in_force ON hold (coalesce(until, 9223372036854775807)) WHERE lifted_at IS NULL;
