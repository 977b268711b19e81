-- What is counted comes here first, one row after the other, and is added up in activity some hundreds at a time: each exchange wrote the page of
-- its instance there, anywhere in the table. Both together are what was counted.
CREATE TABLE activity_entry (
  number INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  slot INTEGER NOT NULL,
  credential TEXT NOT NULL,
  issued INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  challenged INTEGER NOT NULL
) STRICT;
