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

-- When each person, by a digest, has said their last words on questions, and how long they took for each.
CREATE TABLE approver_word (
  number INTEGER PRIMARY KEY,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  took INTEGER NOT NULL
) STRICT;
CREATE INDEX approver_word_person ON approver_word (person, number);
CREATE INDEX approver_word_age ON approver_word (at);

-- How often each instance of an agent, by a digest, was issued, denied or challenged, by credential, in slots of five minutes.
CREATE TABLE activity (
  instance TEXT NOT NULL,
  slot INTEGER NOT NULL,
  credential TEXT NOT NULL,
  issued INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  challenged INTEGER NOT NULL,
  PRIMARY KEY (instance, slot, credential)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_age ON activity (slot);
