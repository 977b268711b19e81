#!/bin/sh
# Makes the authority, a certificate for each server, and every password and token: once, in $STATE. What is somebody's own lies in a
# folder that only its user reads.
set -eu
STATE="${STATE:-/state}"
umask 077
[ ! -e "$STATE/ca.pem" ] || exit 0
mkdir -p "$STATE"
cd "$STATE"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=CredBroker sample authority" \
  -keyout ca.key -out ca.new 2>/dev/null
for name in postgres openbao idp broker; do
  mkdir "$name"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name/tls.key" -out "$name/tls.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' "$name" >"$name/tls.ext"
  openssl x509 -req -in "$name/tls.csr" -CA ca.new -CAkey ca.key -CAcreateserial -days 825 -extfile "$name/tls.ext" -out "$name/tls.pem" 2>/dev/null
  rm "$name/tls.csr" "$name/tls.ext"
done

mkdir agent operator
random() { openssl rand -hex 24; }
random >postgres/superuser
random >postgres/store
printf 'cb_admin:%s' "$(random)" >operator/billing-admin
cp operator/billing-admin postgres/billing-admin
random >operator/token
cp operator/token openbao/root-token
random >idp/agent-secret
cp idp/agent-secret agent/secret
printf 'Host=postgres;Port=5432;Database=credbroker;Username=credbroker;Password=%s;Root Certificate=%s/ca.pem' \
  "$(cat postgres/store)" "$STATE" >broker/store

# The users of the images: PostgreSQL's (the agent runs in that one, too), OpenBao's, and that of .NET's chiseled ones.
if [ "$(id -u)" = 0 ]; then
  chown -R 999:999 postgres
  chown -R 100:1000 openbao
  chown -R 1654:1654 broker
fi
chmod 755 .
chmod 644 ca.new
mv ca.new ca.pem
