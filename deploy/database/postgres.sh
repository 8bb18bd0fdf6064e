# shellcheck shell=bash
# A PostgreSQL of its own for proofs, with an owner like Aurora's and the users of roles.sql. Sourced: needs `folder` (an
# empty folder) and `database_port`; start_database, create_users and stop_database are what it offers.

find_postgres() {
    local candidate
    for candidate in "$(dirname "$(command -v initdb || echo /nowhere/x)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin; do
        [[ -x $candidate/initdb && -x $candidate/psql ]] && echo "$candidate" && return
    done
    return 1
}

# PostgreSQL refuses to run as root.
as_server() {
    if [[ $(id -u) = 0 ]]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    else
        "$@"
    fi
}

# USER [DATABASE [HOST]]
address() {
    echo "postgres://$1:$1-password@${3:-127.0.0.1}:$database_port/${2:-accelbench}"
}

ask() {
    "$postgres/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"
}

start_database() {
    postgres=$(find_postgres) || return
    [[ $(id -u) != 0 ]] || chown postgres "$folder"
    as_server "$postgres/initdb" --pgdata "$folder/data" --auth-host scram-sha-256 --auth-local trust --username admin >/dev/null
    as_server "$postgres/pg_ctl" --pgdata "$folder/data" --log "$folder/log" --wait start \
        --options "-p $database_port -k $folder -c listen_addresses=127.0.0.1 -c fsync=off" >/dev/null
    # As Aurora's owner: he may make roles and databases, and is no superuser.
    ask --host "$folder" --port "$database_port" --username admin postgres --command \
        "CREATE ROLE owner LOGIN CREATEROLE CREATEDB PASSWORD 'owner-password'"
    ask "$(address owner postgres)" --command "CREATE DATABASE accelbench"
}

create_users() {
    ask "$(address owner)" -v migrations_password=accelbench_migrations-password \
        -v app_password=accelbench_app-password --file deploy/database/roles.sql
}

stop_database() {
    [[ -z ${postgres:-} ]] || as_server "$postgres/pg_ctl" --pgdata "$folder/data" --mode immediate stop >/dev/null 2>&1 || true
}
