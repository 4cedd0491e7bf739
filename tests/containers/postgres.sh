# What the image of a registry does of this: a cluster with a password and a database, then the server.
set -eu
data=/var/lib/postgresql/18/docker
if [ ! -s "$data/PG_VERSION" ]; then
    mkdir -p "$data" && chown -R postgres /var/lib/postgresql
    printf %s "$POSTGRES_PASSWORD" | install -o postgres -m 600 /dev/stdin /tmp/password
    su postgres -c "/pg/bin/initdb -D $data --username=postgres --pwfile=/tmp/password --auth-host=scram-sha-256 \
        --auth-local=trust --encoding=UTF8 --locale=C.UTF-8"
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB;" | su postgres -c "/pg/bin/postgres --single -D $data postgres"
fi
exec su postgres -c "exec /pg/bin/postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp"
