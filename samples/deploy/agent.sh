#!/bin/sh
# An agent's tool: psql, with a database user of its own that exists for as long as psql runs.
set -eu
STATE="${STATE:-/state}"
CREDBROKER="${CREDBROKER:-/deploy/out/credbroker}"
export CREDBROKER_CA_FILE="$STATE/ca.pem"
until [ -s "$STATE/agent/token" ] && $CREDBROKER doctor --token-file "$STATE/agent/token" >/dev/null 2>&1; do sleep 1; done
exec $CREDBROKER exec billing-readonly --token-file "$STATE/agent/token" --as postgres --process invoice-triage --task "sample-$(date +%s)" \
  --purpose "sum up what each customer owes" --action read \
  -- psql --no-psqlrc -c 'SELECT current_user AS "user of this task"' -c 'SELECT customer, sum(amount) FROM billing.invoices GROUP BY customer ORDER BY customer'
