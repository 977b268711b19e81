-- What is not over is what nothing has confirmed, or whose state says that it is not: of a row that contradicts itself, too, an order has to hear.
DROP INDEX lease_live;
CREATE INDEX lease_live ON lease (id, agent, workload, instance, subject, task, process, credential, owner, issuer, trust_domain)
  WHERE confirmed_at IS NULL OR state NOT IN ('revoked', 'ended');
