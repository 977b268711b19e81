-- Questions to people about one exact request each, and what they said. An agreement is a person and the demands that they might agree to. Every
-- change of a row gives it the next number in change. What callers wrote is in no index, only digests of it.
CREATE TABLE approval (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  change INTEGER NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'voided', 'redeemed')),
  decision TEXT NOT NULL,
  digest TEXT NOT NULL,
  caller_key TEXT NOT NULL,
  workload_key TEXT NOT NULL,
  fence INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  agreements TEXT NOT NULL DEFAULT '[]',
  approved_at INTEGER,
  closed_at INTEGER,
  closed_by TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  lease TEXT
) STRICT;

-- What is open: bounded in number, so these are small. Nobody is asked the same twice.
CREATE UNIQUE INDEX approval_open_same ON approval (caller_key, digest) WHERE closed_at IS NULL;
CREATE INDEX approval_open_workload ON approval (workload_key) WHERE closed_at IS NULL;
CREATE INDEX approval_open_due ON approval (expires_at) WHERE closed_at IS NULL;
CREATE INDEX approval_open ON approval (number) WHERE closed_at IS NULL;
CREATE INDEX approval_closed ON approval (closed_at) WHERE closed_at IS NOT NULL;
