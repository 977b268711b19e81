-- What a lease was decided from stands in the audit record that tells of its opening, and is no longer written a second time: the lease names
-- the record. Then decision is 0. A row of decision is what is left of a record that was cut off, of a lease that shares another's, or from before.
ALTER TABLE lease ADD COLUMN told_stream INTEGER;
ALTER TABLE lease ADD COLUMN told_sequence INTEGER;
