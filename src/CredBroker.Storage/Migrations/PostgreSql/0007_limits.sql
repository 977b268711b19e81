-- What is counted for the policy's limits. A row for whatever is counted together: how many of its leases are not over, the number of its newest
-- event, and when the last of its events is looked at no more.
CREATE TABLE limit_key (
  key TEXT NOT NULL PRIMARY KEY,
  active BIGINT NOT NULL,
  newest BIGINT NOT NULL,
  until BIGINT NOT NULL
);
CREATE INDEX limit_key_idle ON limit_key (until) WHERE active = 0;

-- Where each lease that is not over is counted.
CREATE TABLE limit_active (
  lease TEXT COLLATE "C" NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (lease, key)
);

-- Issuances and denials, numbered for each key, until no limit looks back at them.
CREATE TABLE limit_event (
  key TEXT NOT NULL,
  at BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (key, at, sequence)
);
CREATE INDEX limit_event_over ON limit_event (until);
