-- Denials that people could be asked about, as AuthZEN's access requests name them: who was denied, a digest of what, under which policy and
-- until when. Once a request was submitted for one, its question to people and digests of the caller's key and body. No text of a caller's.
CREATE TABLE access_evaluation (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  caller_key TEXT NOT NULL,
  workload_key TEXT NOT NULL,
  binding TEXT NOT NULL,
  policy INTEGER NOT NULL,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  kept_until INTEGER NOT NULL,
  approval TEXT,
  key_digest TEXT,
  body_digest TEXT
) STRICT;

-- Those that nothing was submitted for: bounded in number, of each caller, of its workload and in all.
CREATE INDEX access_evaluation_caller ON access_evaluation (caller_key, number) WHERE approval IS NULL;
CREATE INDEX access_evaluation_workload ON access_evaluation (workload_key) WHERE approval IS NULL;
CREATE INDEX access_evaluation_unused ON access_evaluation (number) WHERE approval IS NULL;
CREATE UNIQUE INDEX access_evaluation_key ON access_evaluation (caller_key, key_digest) WHERE key_digest IS NOT NULL;
CREATE INDEX access_evaluation_kept ON access_evaluation (kept_until);

-- Owners of processes who are gone, and who of them came back. The key is a digest of issuer and subject, which may be long. Every change of a
-- row gives it the next number in change.
CREATE TABLE owner_retirement (
  number INTEGER PRIMARY KEY,
  change INTEGER NOT NULL UNIQUE,
  owner_key TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  retired_by TEXT NOT NULL,
  retired_at INTEGER NOT NULL,
  reinstated_by TEXT,
  reinstated_at INTEGER,
  reinstate_reason TEXT
) STRICT;

-- Nobody is gone twice at once.
CREATE UNIQUE INDEX owner_retired ON owner_retirement (owner_key) WHERE reinstated_at IS NULL;
