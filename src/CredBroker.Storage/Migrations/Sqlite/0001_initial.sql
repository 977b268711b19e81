-- Times are Unix milliseconds, ids are UUIDv7 as text (they sort by time). No secret value is ever stored.

-- One row, written with every batch: the clock that never goes back, and the batch's number, by which an unknown commit is read back.
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  clock INTEGER NOT NULL,
  batch INTEGER NOT NULL
) STRICT;
INSERT INTO store (id, clock, batch) VALUES (1, 0, 0);

-- What each decision was made from, allowed (lease set) or not. Never updated: that keeps lease rows small.
CREATE TABLE decision (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  lease TEXT,
  at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;

CREATE TABLE lease (
  id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'revoking', 'failed', 'revoked', 'ended')),
  decision INTEGER NOT NULL,
  agent TEXT NOT NULL,
  workload TEXT NOT NULL,
  instance TEXT NOT NULL,
  subject TEXT NOT NULL,
  task TEXT NOT NULL,
  process TEXT NOT NULL,
  credential TEXT NOT NULL,
  owner TEXT NOT NULL,
  issuer TEXT NOT NULL,
  trust_domain TEXT NOT NULL,
  accessor TEXT,
  credential_accessor TEXT,
  vault_lease_id TEXT,
  public_name TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  issuance_deadline INTEGER NOT NULL,
  activated_at INTEGER,
  expires_at INTEGER,
  grace_until INTEGER,
  cause TEXT,
  requested_by TEXT NOT NULL DEFAULT '',
  revocation_id TEXT,
  revocation_requested_at INTEGER,
  confirmed_at INTEGER,
  accessor_revoked_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  last_error TEXT NOT NULL DEFAULT '',
  claimed_by TEXT,
  claimed_until INTEGER
) STRICT, WITHOUT ROWID;

-- The jobs' work. Partial, so that their size is the work there is, not the history.
CREATE INDEX lease_pending ON lease (issuance_deadline) WHERE state = 'pending';
CREATE INDEX lease_expiring ON lease (expires_at) WHERE state = 'active';
CREATE INDEX lease_revoking ON lease (coalesce(next_attempt_at, 0)) WHERE state IN ('revoking', 'failed');
-- Everything a selector can name, of the leases that are not over: one pass over it answers any selector.
CREATE INDEX lease_live ON lease (id, agent, workload, instance, subject, task, process, credential, owner, issuer, trust_domain) WHERE confirmed_at IS NULL;
CREATE INDEX lease_by_order ON lease (revocation_id, id) WHERE revocation_id IS NOT NULL;
CREATE INDEX lease_by_vault_lease ON lease (vault_lease_id) WHERE vault_lease_id IS NOT NULL;

-- A closed id is never used again, so these rows stay.
CREATE TABLE task (
  process TEXT NOT NULL,
  id TEXT NOT NULL,
  issuer TEXT NOT NULL,
  workload TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  closed_by TEXT,
  PRIMARY KEY (process, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  caller_key TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  lease TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (caller_key, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);

CREATE TABLE revocation_order (
  fence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  selector TEXT NOT NULL,
  cause TEXT NOT NULL,
  reason TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at INTEGER NOT NULL,
  enumerated_at INTEGER
) STRICT;
CREATE INDEX revocation_order_open ON revocation_order (fence) WHERE enumerated_at IS NULL;

CREATE TABLE policy_version (
  version INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

-- The audit log. A stream is one broker process.
CREATE TABLE audit_stream (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE audit_record (
  stream INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (stream, sequence)
) STRICT;

-- The records of one batch have one time: this says which sequence number each batch begins with, and so finds a range of time.
CREATE TABLE audit_batch (
  stream INTEGER NOT NULL,
  time INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (stream, time, sequence)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_record_is_never_changed BEFORE UPDATE ON audit_record
BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_record_is_never_deleted BEFORE DELETE ON audit_record
BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;
