-- The time by the count of what has passed, which is ahead of the clock while the host's has fallen back: a start goes on from there, so that
-- what waits by it waits no longer than it was to. 0 until the next batch.
ALTER TABLE store ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
