#!/bin/sh
# Random secrets for a cluster to try things in, as manifests; nothing is kept. In production they come from where the company keeps
# such (components/external-secrets). Made once: another vault key does not open what was sealed under this one.
#   k8s/make-secrets.sh [namespace] | kubectl apply -f -
set -eu
namespace="${1:-gatehouse}"
postgres="$(openssl rand -hex 24)"
redis="$(openssl rand -hex 24)"
cat <<END
apiVersion: v1
kind: Secret
metadata: { name: gatehouse-planes, namespace: $namespace }
stringData:
  redis-url: redis://:$redis@gatehouse-redis:6379
  snapshot-key: $(openssl rand -base64 32)
  data-plane-token: $(openssl rand -hex 32)
---
apiVersion: v1
kind: Secret
metadata: { name: gatehouse-control-plane, namespace: $namespace }
stringData:
  database-url: postgres://gatehouse:$postgres@gatehouse-postgres:5432/gatehouse
  vault-key: $(openssl rand -base64 32)
  admin-token: $(openssl rand -hex 32)
---
apiVersion: v1
kind: Secret
metadata: { name: gatehouse-development, namespace: $namespace }
stringData:
  postgres-password: $postgres
  redis-password: $redis
END
