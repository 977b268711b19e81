-- The cluster of Vault that this store's secrets are in: another one's word about them proves nothing. At most one row.
CREATE TABLE vault_cluster (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  cluster TEXT NOT NULL,
  -- Null for the first: whatever there is was made there.
  changed_at INTEGER
) STRICT;
