-- The broker that commits gives decisions their numbers, one after the newest that there is, so that many are written at once with the leases that
-- name them. A broker from before does not know of that and no longer has the schema.
ALTER TABLE decision ALTER COLUMN number DROP IDENTITY;
-- Compressing long records was a tenth of what a commit cost the server. What is stored stays as it is, and both are read.
DO $lz4$
BEGIN
  ALTER TABLE audit_record ALTER COLUMN bytes SET COMPRESSION lz4;
  ALTER TABLE decision ALTER COLUMN record SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  -- A server that was built without it compresses as before.
  NULL;
END
$lz4$;
