#!/bin/sh
# Random secrets, each in a file of its own. What is there stays: another vault key does not open what was sealed under this one.
#   deploy/compose/make-secrets.sh [folder]
set -eu
umask 077
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"
# The folder keeps others on this machine out; the containers' users, who have other numbers, read the files.
put() {
  [ -e "$folder/$1" ] || printf '%s' "$2" > "$folder/$1"
  chmod 444 "$folder/$1"
}
put postgres-password "$(openssl rand -hex 24)"
put redis-password "$(openssl rand -hex 24)"
put database-url "postgres://gatehouse:$(cat "$folder/postgres-password")@postgres:5432/gatehouse"
put redis-url "redis://:$(cat "$folder/redis-password")@redis:6379"
put snapshot-key "$(openssl rand -base64 32)"
put vault-key "$(openssl rand -base64 32)"
put data-plane-token "$(openssl rand -hex 32)"
put admin-token "$(openssl rand -hex 32)"
