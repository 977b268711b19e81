-- Why no broker may start on this store: it was moved to another place, or a copy into it is not finished. Null: one may.
ALTER TABLE store ADD COLUMN closed TEXT;
