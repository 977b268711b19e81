-- Who says that a lease's secret is gone, where neither Vault nor its backend could prove it; empty where one has.
ALTER TABLE lease ADD COLUMN confirmed_by TEXT NOT NULL DEFAULT '';
