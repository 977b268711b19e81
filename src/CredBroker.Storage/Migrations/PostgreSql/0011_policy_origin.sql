-- Who applied a policy version, where it came by the API and not from a file, and, where an admin went back, which earlier version's content it has
-- and why. So a content can be a version twice, and its hash is in several rows.
ALTER TABLE policy_version DROP CONSTRAINT policy_version_hash_key;
ALTER TABLE policy_version
  ADD COLUMN author_issuer TEXT,
  ADD COLUMN author_subject TEXT,
  ADD COLUMN restores BIGINT,
  ADD COLUMN reason TEXT NOT NULL DEFAULT '';
CREATE INDEX policy_version_by_hash ON policy_version (hash);
