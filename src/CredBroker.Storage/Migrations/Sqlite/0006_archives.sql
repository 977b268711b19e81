-- Beginnings of the audit log that were written to files. What is up to the newest one's end may leave the store, and nothing else.
CREATE TABLE audit_archive (
  number INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  hash TEXT NOT NULL,
  file TEXT NOT NULL,
  records INTEGER NOT NULL,
  latest INTEGER NOT NULL
) STRICT;

DROP TRIGGER audit_record_is_never_deleted;
CREATE TRIGGER audit_record_is_deleted_once_archived BEFORE DELETE ON audit_record
WHEN (OLD.stream, OLD.sequence) > (SELECT stream, sequence FROM audit_archive ORDER BY number DESC LIMIT 1)
  OR NOT EXISTS (SELECT 1 FROM audit_archive)
BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;
