#!/usr/bin/env bash
# What `docs/installing.md` says, done for real: compose.yaml in containers, and the units under a systemd that starts a
# host. By hand and as root, some ten minutes:
#
#     bash tests/containers/run.sh
#
# It needs podman and podman-compose 1.1 or later (COMPOSE names another). STAND_INS=1 makes the two images that
# compose.yaml and the container file take from a registry of Debian's packages (mmdebstrap) and the PostgreSQL that
# comes with Relight, under the same names. BUILD holds more words for `podman build`. It ends with 1 when anything is
# not as it should be, and removes its containers and volumes, not the images.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$here/../.." && pwd)
: "${COMPOSE:=podman-compose}" "${BUILD:=}" "${STAND_INS:=}"
export RELIGHT_DATABASE_PASSWORD=tried-by-hand
project=relight-tried host=relight-tried-host
source "$here/said.sh"

compose() { $COMPOSE -p "$project" -f "$root/ops/container/compose.yaml" "$@"; }
# shellcheck disable=SC2086
build() { podman build $BUILD "$@" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log"; exit 1; }; }
one() { echo "${project}_$1_${2:-1}"; }
inside() { podman exec "$(one "$1" "${3:-1}")" relight $2; }
healthy() { for name in "$@"; do podman healthcheck run "$name" >"$work/health" 2>&1 || return 1; done; }

work=$(mktemp -d)
gone() {
    compose down --volumes >/dev/null 2>&1
    podman rm --force --volumes "$host" >/dev/null 2>&1
    rm -rf "$work"
}
trap gone EXIT

if [ -n "$STAND_INS" ]; then
    heading "stand-ins for the two images of a registry"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3-dev,python3-venv bookworm "$work/base.tar" || exit 1
    build -t docker.io/library/python:3.11-slim -f "$here/python.containerfile" "$work"
fi
heading "the image, by ops/container/Containerfile"
build -t relight -f "$root/ops/container/Containerfile" "$root"
[ -z "$STAND_INS" ] || build -t docker.io/library/postgres:18 -f "$here/postgres.containerfile" "$here"

heading "compose.yaml"
compose up -d >"$work/up.log" 2>&1 || cat "$work/up.log"
all=("$(one database)" "$(one web)" "$(one worker)" "$(one worker 2)")
soon "database, web and two workers are healthy" healthy "${all[@]}"
expect "the pages answer on loopback" curl -sf -o /dev/null http://127.0.0.1:8000/ready
expect "doctor finds nothing wrong" inside worker doctor
expect "watch says that all is well" inside worker watch
expect "the bulk lane decides on the compiled core" says '"bulk", "core": "compiled"' podman logs "$(one worker)"
expect "a partner that one host adds" inside web "partner add fjord --name Fjord"
expect "another host has" says fjord inside worker "partner list" 2
expect "figures are read from another container" podman exec "$(one web)" python -c \
    "import urllib.request as ask; assert b'relight_database_up 1' in ask.urlopen('http://worker:9464/metrics').read()"
kill -KILL "$(podman inspect "$(one worker)" --format '{{.State.Pid}}')"
soon "a worker that is killed comes back" healthy "$(one worker)"
podman stop --time 60 "${all[@]:1}" >/dev/null 2>&1
for name in "${all[@]:1}"; do
    expect "$name ended when it was told to" is 143 podman inspect "$name" --format '{{.State.ExitCode}}'
done
compose down --volumes >/dev/null 2>&1

heading "a host with systemd, as docs/installing.md says"
"${PYTHON:-python3}" -m pip wheel --quiet --no-deps --wheel-dir "$work" "$root" || exit 1
cp -r "$root/ops" "$here/said.sh" "$here/on_the_host.sh" "$work"
build -t relight-tried-host -f "$here/host.containerfile" "$work"
podman run --detach --name "$host" --systemd=always --privileged relight-tried-host >/dev/null || exit 1
soon "the host is up" says running podman exec "$host" systemctl is-system-running
for step in installed restored upgraded; do
    podman exec --workdir /srv "$host" bash on_the_host.sh $step || wrong=1
done
podman restart --time 60 "$host" >/dev/null 2>&1
soon "after a restart of the host all is up again" podman exec --workdir /srv "$host" bash on_the_host.sh up
ended
