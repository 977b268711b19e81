-- An order is found by the beginning of its id, which the database's own language may sort otherwise. What names it is compared with it.
ALTER TABLE revocation_order ALTER COLUMN id TYPE TEXT COLLATE "C";
ALTER TABLE revocation_reach ALTER COLUMN revocation TYPE TEXT COLLATE "C";
