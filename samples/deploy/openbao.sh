#!/bin/sh
# OpenBao's dev mode, with a listener that other containers reach over TLS, and an audit device: its log is the independent witness.
set -eu
STATE="${STATE:-/state}"
cat >/tmp/openbao.hcl <<HCL
listener "tcp" {
  address       = "0.0.0.0:8201"
  tls_cert_file = "$STATE/openbao/tls.pem"
  tls_key_file  = "$STATE/openbao/tls.key"
}
audit "file" "file" {
  options { file_path = "/tmp/openbao-audit.log" }
}
HCL
BAO_DEV_ROOT_TOKEN_ID="$(cat "$STATE/openbao/root-token")"
export BAO_DEV_ROOT_TOKEN_ID
exec bao server -dev -dev-no-store-token -dev-listen-address=127.0.0.1:8200 -config=/tmp/openbao.hcl -log-level=warn
