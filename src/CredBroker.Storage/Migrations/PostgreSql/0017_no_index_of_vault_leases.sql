-- Vault's lease ids are random: each activation wrote a page of this index that no other had touched. They are looked for
-- when Vault's own list is compared with what is not over, which is read for that.
DROP INDEX IF EXISTS lease_by_vault_lease;
