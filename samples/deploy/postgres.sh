#!/bin/sh
# Run once by PostgreSQL's image: the broker's store, the agent's database, and the administrator that OpenBao makes users with.
set -eu
STATE="${STATE:-/state}"
psql --no-psqlrc -v ON_ERROR_STOP=1 -v store="$(cat "$STATE/postgres/store")" -v admin="$(cut -d: -f2 "$STATE/postgres/billing-admin")" <<'SQL'
-- As `credbroker store rights` prints it.
CREATE DATABASE credbroker ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE billing ENCODING 'UTF8' TEMPLATE template0;
CREATE ROLE credbroker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 30 PASSWORD :'store';
-- No superuser: it makes and drops the agents' users, and gives them what it has been given.
CREATE ROLE cb_objects NOLOGIN;
CREATE ROLE cb_admin LOGIN CREATEROLE PASSWORD :'admin';
GRANT pg_signal_backend, cb_objects TO cb_admin;
REVOKE CONNECT ON DATABASE postgres, template1, credbroker FROM PUBLIC;

\connect credbroker
REVOKE ALL ON DATABASE credbroker FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE credbroker TO credbroker;
CREATE SCHEMA credbroker AUTHORIZATION credbroker;
ALTER ROLE credbroker IN DATABASE credbroker SET search_path = credbroker;

\connect billing
CREATE SCHEMA billing;
CREATE TABLE billing.invoices (id int PRIMARY KEY, customer text NOT NULL, amount numeric NOT NULL);
INSERT INTO billing.invoices VALUES (1, 'Acme', 120.50), (2, 'Bolt', 80.00), (3, 'Acme', 99.90);
GRANT USAGE ON SCHEMA billing TO cb_admin WITH GRANT OPTION;
GRANT SELECT ON ALL TABLES IN SCHEMA billing TO cb_admin WITH GRANT OPTION;
SQL
