#!/bin/sh
# Upgrade Relight to a release's wheel, and lose nothing that was accepted. As root:
#
#     ops/upgrade.sh relight-1.2-py3-none-any.whl /var/backups/relight
#     ops/upgrade.sh relight-1.2-py3-none-any.whl own     # where backups are made by other means: make one before
#
# A base copy first; then web and workers stop, the wheel goes in, tables are brought up to date, doctor looks, and all
# starts again. Providers send their webhooks again while nobody answers, and what they gave up on is asked for by the
# worker within a minute. When a step fails nothing is started: the way back from that step is printed.
#
# Relight's own commands go through the `relight` beside this script: with the settings of the services and as their
# user, who alone then owns copies and tables. PYTHON, RELIGHT, STOP, START, READY, COMPILE and AGAIN may be set; they
# are systemd's units, their addresses for health, and /opt/relight otherwise.
set -eu
umask 022 # what is installed the services' user reads

wheel=${1:?which wheel? See the head of this file.}
backups=${2:?which backup folder? See the head of this file.}
: "${PYTHON:=/opt/relight/bin/python}" "${RELIGHT:=$(dirname "$0")/relight}"
: "${STOP:=systemctl stop relight-web relight-worker}" "${START:=systemctl start relight-web relight-worker}"
: "${READY:=ask_both}"
: "${COMPILE:=$PYTHON -m relight.project.main compile}" "${AGAIN:=systemctl restart relight-worker}"

before=$("$RELIGHT" --version | awk '{ print $NF }')
step="the copy"

say() { echo "$*" >&2; }

back() {
    code=$?
    [ "$code" -eq 0 ] && return
    case $step in
    starting*) say "upgrade: $step failed." ;;
    *) say "upgrade: $step failed; nothing was started." ;;
    esac
    case $step in
    "the copy")
        say "Nothing was changed either: version $before still runs."
        ;;
    "stopping")
        say "Nothing was changed either. See what still runs, and go on with version $before:  $START"
        ;;
    "installing")
        say "No table was touched, so no backup is needed. The way back: install the wheel of $before again, then"
        say "  $START"
        ;;
    starting*)
        say "The new version and its tables are in place, so there is nothing to go back from: see why"
        say "(journalctl -u relight-web -u relight-worker), mend it, then  $START"
        ;;
    *)
        say "Tables may be those of the new version already. Mend what is said above and run this again; or the way"
        say "back: install the wheel of $before, then come back to $moment, as docs/installing.md says under"
        say "\"Coming back\":"
        if [ "$backups" = own ]; then
            say "  with your own backup."
        else
            say "  relight backup restore $backups --into A_NEW_HOME --until $moment"
        fi
        ;;
    esac
}
trap back EXIT
trap 'exit 130' INT TERM

ask_both() { # a unit that is started may die a moment later: what counts is that both are ready
    for port in 9464 9465; do
        "$PYTHON" -c "import http.client as http; asked = http.HTTPConnection('127.0.0.1', $port, timeout=5)
asked.request('GET', '/ready'); raise SystemExit(asked.getresponse().status != 200)" 2>/dev/null || return 1
    done
}
wait_until_ready() {
    turn=0
    until $READY; do
        turn=$((turn + 1))
        [ "$turn" -lt 60 ] || { say "They are not ready after a minute."; return 1; }
        sleep 1
    done
}

[ -f "$wheel" ] || { say "There is no file $wheel."; exit 1; }
[ "$backups" = own ] || "$RELIGHT" backup base "$backups"
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
wait_until_ready
echo "Upgraded from $before to $("$RELIGHT" --version | awk '{ print $NF }')."

# The compiled core is of one version's sources. It lies beside the interpreter, so whoever installs makes it.
if $COMPILE; then
    step="starting again with the compiled core"
    $AGAIN
    wait_until_ready
    echo "Night runs decide on the compiled core."
else
    echo "Night runs decide in plain Python, which comes to the same and takes longer: docs/tuning.md says what to do."
fi
