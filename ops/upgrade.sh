#!/bin/sh
# Upgrade Relight to a release's wheel, and lose nothing that was accepted:
#
#     ops/upgrade.sh relight-1.2-py3-none-any.whl /var/backups/relight
#
# A base copy first; then web and workers stop, the wheel goes in, tables are brought up to date, doctor looks, and all
# starts again. Providers send their webhooks again while nobody answers, and what they gave up on is asked for by the
# worker within a minute. When a step fails nothing is started: the way back is printed.
#
# PYTHON, RELIGHT, STOP and START may be set; they are systemd's units and /opt/relight otherwise.
set -eu

wheel=${1:?which wheel? See the head of this file.}
backups=${2:?which backup folder? See the head of this file.}
: "${PYTHON:=/opt/relight/bin/python}" "${RELIGHT:=/opt/relight/bin/relight}"
: "${STOP:=systemctl stop relight-web relight-worker}" "${START:=systemctl start relight-web relight-worker}"

before=$("$RELIGHT" --version | awk '{ print $NF }')
step="the copy"

back() {
    code=$?
    [ "$code" -eq 0 ] && return
    echo "upgrade: $step failed; nothing was started." >&2
    if [ "$step" = "the copy" ]; then
        echo "Nothing was changed either: version $before still runs." >&2
    else
        echo "The way back: install the wheel of $before, then" >&2
        echo "  relight backup restore $backups --into NEW_HOME --until $moment   and set RELIGHT_HOME to it;" >&2
        echo "  or mend what is said above and run this again." >&2
    fi
}
trap back EXIT

[ -f "$wheel" ] || { echo "There is no file $wheel." >&2; exit 1; }
"$RELIGHT" backup base "$backups"
step="stopping"
$STOP
moment=$(date -u +%Y-%m-%dT%H:%M:%SZ)
step="installing"
"$PYTHON" -m pip install --quiet --disable-pip-version-check ${PIP_WORDS:-} "$wheel"
step="bringing tables up to date"
"$RELIGHT" migrate
step="doctor"
"$RELIGHT" doctor
step="starting"
$START
echo "Upgraded from $before to $("$RELIGHT" --version | awk '{ print $NF }')."
