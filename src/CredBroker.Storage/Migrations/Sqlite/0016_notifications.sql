-- Word of what became of questions to people, until every address outside has taken it or it is given up.
CREATE TABLE notification (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  approval TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('asked', 'approved', 'denied', 'expired', 'voided')),
  at INTEGER NOT NULL,
  said_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  sent_to TEXT NOT NULL DEFAULT '[]',
  error TEXT NOT NULL DEFAULT '',
  failed_at INTEGER
) STRICT;
CREATE INDEX notification_due ON notification (due_at) WHERE failed_at IS NULL;
CREATE INDEX notification_failed ON notification (failed_at) WHERE failed_at IS NOT NULL;
