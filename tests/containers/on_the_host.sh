# Inside the host that run.sh starts: the commands of docs/installing.md, and what comes of them. One step a call.
source /srv/said.sh
export PIP_DISABLE_PIP_VERSION_CHECK=1
services=(relight-database relight-web relight-worker relight-backup)

up() {
    for address in 9464/ready 9465/ready 8000/ready; do curl -sf -o /dev/null "http://127.0.0.1:$address" || return 1; done
    systemctl is-active --quiet "${services[@]}" && is "" systemctl --failed --quiet --no-legend
}
nobody() { ! pgrep -u relight; }

installed() {
    useradd --system --home-dir /var/lib/relight relight
    install -d -o relight -g relight -m 700 /var/lib/relight /var/backups/relight
    install -m 755 ops/relight /usr/local/bin/relight
    install -D -m 644 -t /usr/local/lib/systemd/system ops/systemd/* && systemctl daemon-reload
    expect "the target starts, and is enabled" systemctl enable --now relight.target
    expect "the first copy is made and checked" systemctl start relight-backup-base
    soon "all units are up" up
    expect "doctor finds nothing wrong" relight doctor
    expect "a partner is added by hand" relight partner add fjord --name Fjord
    for unit in "${services[@]}"; do
        systemctl kill --kill-whom=all -s KILL "$unit" && sleep 3
        soon "all is up again after all of $unit was killed" up
    done
}
restored() {
    expect "all stops, and whoever stops it waits for it" systemctl stop 'relight*'
    expect "nothing of it runs" nobody
    install -d -o relight -g relight -m 700 /var/lib/relight-new
    expect "the backup is restored" relight backup restore /var/backups/relight --into /var/lib/relight-new
    mv /var/lib/relight /var/lib/relight-old && mv /var/lib/relight-new /var/lib/relight
    mv /var/backups/relight /var/backups/relight-old
    install -d -o relight -g relight -m 700 /var/backups/relight
    expect "it starts, with a copy of its own" systemctl start relight.target relight-backup-base
    soon "all units are up" up
    expect "what was added is there" says fjord relight partner list
    expect "what was held back is let go on" says "It goes on." relight resume --all
    expect "the audit finds nothing" relight audit
}
upgraded() {
    expect "a wheel is installed over the one that runs" bash ops/upgrade.sh relight-*.whl /var/backups/relight
    soon "all units are up" up
}
"$1"
ended
