#!/bin/sh
# Run once by the image of PostgreSQL, when its data are made: the role of the server, which owns no
# table, so that row-level security binds it.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$SERVER_PASSWORD" --quiet \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE engram_server LOGIN NOINHERIT PASSWORD :'password';
SQL
