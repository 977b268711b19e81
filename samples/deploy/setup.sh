#!/bin/sh
# What an operator does once for a policy: everything that its catalogue needs in OpenBao, and a token for the broker.
set -eu
STATE="${STATE:-/state}"
DEPLOY="${DEPLOY:-/deploy}"
CREDBROKER="${CREDBROKER:-$DEPLOY/out/credbroker}"
export VAULT_ADDR="https://openbao:8201" VAULT_CACERT="$STATE/ca.pem"
[ ! -s "$STATE/broker/vault-token" ] || exit 0

until curl --silent --fail --output /dev/null --cacert "$VAULT_CACERT" "$VAULT_ADDR/v1/sys/health"; do sleep 1; done
$CREDBROKER vault setup --policy "$DEPLOY/policy.yaml" --installation sample --token-file "$STATE/operator/token" --apply

# The token goes from one file to another: it stands on no command line.
printf 'header = "X-Vault-Token: %s"\n' "$(cat "$STATE/operator/token")" |
  curl --silent --show-error --fail --config - --cacert "$VAULT_CACERT" --request POST "$VAULT_ADDR/v1/auth/token/create/cb-sample-broker" |
  sed -nE 's/.*"client_token":"([^"]+)".*/\1/p' >"$STATE/broker/vault-token.new"
# What a pipe begins with may fail unseen.
[ -s "$STATE/broker/vault-token.new" ] || { echo "OpenBao gave no token for the broker." >&2; exit 1; }
chmod 600 "$STATE/broker/vault-token.new"
[ "$(id -u)" != 0 ] || chown 1654:1654 "$STATE/broker/vault-token.new"
mv "$STATE/broker/vault-token.new" "$STATE/broker/vault-token"
