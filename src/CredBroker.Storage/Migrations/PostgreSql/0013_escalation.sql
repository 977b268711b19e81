-- When a question asks more people, as its rules say, of those moments the next that nobody was told of; and the word that tells it outside.
ALTER TABLE approval ADD COLUMN escalates_at BIGINT;
CREATE INDEX approval_escalates ON approval (escalates_at)
  WHERE closed_at IS NULL AND state = 'pending' AND escalates_at IS NOT NULL;
ALTER TABLE notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notification ADD CONSTRAINT notification_kind_check
  CHECK (kind IN ('asked', 'escalated', 'approved', 'denied', 'expired', 'voided'));
