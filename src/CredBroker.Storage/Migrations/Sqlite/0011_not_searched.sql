-- What an order of everything has not searched for secrets that no record knows: as it was carried out, whatever policy
-- is in force when somebody asks.
ALTER TABLE revocation_order ADD COLUMN not_searched TEXT;
