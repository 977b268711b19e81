-- Time boxes that people gave beside their yes: each has the name of its approval, which has what it was given for. The digest says what it
-- fixes, caller_key who asked. A lease that was opened in one, the first included, is listed, so that they are found when it is taken back.
CREATE TABLE time_box (
  number INTEGER PRIMARY KEY,
  approval TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  caller_key TEXT NOT NULL,
  fence INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0,
  ended_at INTEGER,
  ended_by TEXT NOT NULL DEFAULT '',
  cause TEXT NOT NULL DEFAULT ''
) STRICT;

-- What is open: as many as people gave within a day, so these are small.
CREATE INDEX time_box_open ON time_box (number) WHERE ended_at IS NULL;
CREATE INDEX time_box_open_same ON time_box (caller_key, digest) WHERE ended_at IS NULL;
CREATE INDEX time_box_open_due ON time_box (ends_at) WHERE ended_at IS NULL;
CREATE INDEX time_box_ended ON time_box (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE time_box_lease (
  number INTEGER PRIMARY KEY,
  approval TEXT NOT NULL,
  lease TEXT NOT NULL
) STRICT;
CREATE INDEX time_box_lease_of ON time_box_lease (approval);
