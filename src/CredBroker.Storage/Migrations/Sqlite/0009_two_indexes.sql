-- An index whose condition names the state is written again whenever a state changes, and each activation changes one.
-- What contradicts itself, which nothing should, has a small index of its own.
DROP INDEX lease_live;
CREATE INDEX lease_live ON lease (id, agent, workload, instance, subject, task, process, credential, owner, issuer, trust_domain)
  WHERE confirmed_at IS NULL;
CREATE INDEX lease_contradictory ON lease (id) WHERE confirmed_at IS NOT NULL AND state NOT IN ('revoked', 'ended');
