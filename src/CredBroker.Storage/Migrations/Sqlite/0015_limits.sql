-- What is counted for the policy's limits. A row for whatever is counted together: how many of its leases are not over, the number of its newest
-- event, and when the last of its events is looked at no more.
CREATE TABLE limit_key (
  key TEXT NOT NULL PRIMARY KEY,
  active INTEGER NOT NULL,
  newest INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_key_idle ON limit_key (until) WHERE active = 0;

-- Where each lease that is not over is counted.
CREATE TABLE limit_active (
  lease TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (lease, key)
) STRICT, WITHOUT ROWID;

-- Issuances and denials, numbered for each key, until no limit looks back at them.
CREATE TABLE limit_event (
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (key, at, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_event_over ON limit_event (until);
