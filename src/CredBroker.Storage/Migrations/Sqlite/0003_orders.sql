-- Which leases each revocation order reached. A lease may be reached by several: each of them waits until it is over.
CREATE TABLE revocation_reach (
  revocation TEXT NOT NULL,
  lease TEXT NOT NULL,
  PRIMARY KEY (revocation, lease)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_reach_by_lease ON revocation_reach (lease);
INSERT INTO revocation_reach (revocation, lease)
  SELECT revocation_id, id FROM lease WHERE revocation_id IS NOT NULL;
DROP INDEX lease_by_order;
