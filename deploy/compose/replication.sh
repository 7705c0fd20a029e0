#!/bin/sh
# Run once by the primary's image: the standby may follow, with the password.
set -eu
echo "host replication miftah all scram-sha-256" >> "$PGDATA/pg_hba.conf"
