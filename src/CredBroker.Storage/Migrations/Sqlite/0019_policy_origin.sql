-- Who applied a policy version, where it came by the API and not from a file, and, where an admin went back, which earlier version's content it has
-- and why. So a content can be a version twice, and its hash is in several rows.
CREATE TABLE policy_version_with_origin (
  version INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  document TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  author_issuer TEXT,
  author_subject TEXT,
  restores INTEGER,
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO policy_version_with_origin (version, hash, document, applied_at)
  SELECT version, hash, document, applied_at FROM policy_version;
DROP TABLE policy_version;
ALTER TABLE policy_version_with_origin RENAME TO policy_version;
CREATE INDEX policy_version_by_hash ON policy_version (hash);
