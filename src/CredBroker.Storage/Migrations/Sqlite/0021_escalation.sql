-- When a question asks more people, as its rules say, of those moments the next that nobody was told of; and the word that tells it outside.
ALTER TABLE approval ADD COLUMN escalates_at INTEGER;
CREATE INDEX approval_escalates ON approval (escalates_at)
  WHERE closed_at IS NULL AND state = 'pending' AND escalates_at IS NOT NULL;

CREATE TABLE notification_with_escalated (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  approval TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('asked', 'escalated', 'approved', 'denied', 'expired', 'voided')),
  at INTEGER NOT NULL,
  said_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  sent_to TEXT NOT NULL DEFAULT '[]',
  error TEXT NOT NULL DEFAULT '',
  failed_at INTEGER
) STRICT;
INSERT INTO notification_with_escalated SELECT * FROM notification;
DROP TABLE notification;
ALTER TABLE notification_with_escalated RENAME TO notification;
CREATE INDEX notification_due ON notification (due_at) WHERE failed_at IS NULL;
CREATE INDEX notification_failed ON notification (failed_at) WHERE failed_at IS NOT NULL;
