-- How often an admin has accepted a store that had gone back, and the newest anchor that is known to be in Vault in this epoch, by its serial;
-- 0 for none.
ALTER TABLE store ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
ALTER TABLE store ADD COLUMN anchored INTEGER NOT NULL DEFAULT 0;
