#!/bin/sh
# The standby: a copy of the primary at the first start, then its follower.
set -eu
export PGDATA="${PGDATA:-/var/lib/postgresql/data}"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  pg_basebackup -D "$PGDATA" -R -X stream -c fast \
    -d "host=primary user=miftah application_name=standby"
  chmod 0700 "$PGDATA"
fi
exec postgres -c max_connections=120 -c hot_standby=on
