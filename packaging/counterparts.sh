#!/usr/bin/env bash
# Installs what the tests talk to: other people's servers from Debian, and npm packages. No daemon is left running.
set -euo pipefail
cd "$(dirname "$0")/.."

npm_folder=tests/counterparts/npm
policy=/usr/sbin/policy-rc.d
# They are started by the tests, in folders and on ports of their own.
declare -A daemons=([freeradius]=freeradius [postfix]=postfix [postgresql-15]=postgresql)

# What a package brings, and the package: a machine may have it from elsewhere (node and npm often are).
needed=(
  "/usr/sbin/freeradius freeradius"
  "/usr/lib/freeradius/rlm_sql_postgresql.so freeradius-postgresql"
  "radclient freeradius-utils"
  "/usr/sbin/postfix postfix"
  "chromium chromium"
  "pdftoppm poppler-utils"
  "/usr/lib/postgresql/15/bin/postgres postgresql-15"
  "node nodejs"
  "npm npm"
  "gcc gcc"
  "systemd-analyze systemd"
  "ip iproute2"
)

missing_packages() {
  local entry thing package
  for entry in "${needed[@]}"; do
    read -r thing package <<<"$entry"
    if [[ $thing == /* ]]; then [[ -e $thing ]] || echo "$package"; else command -v "$thing" >/dev/null || echo "$package"; fi
  done
}

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
  command -v apt-get >/dev/null && { [[ $EUID -eq 0 ]] || sudo -n true 2>/dev/null; }
}

# Debian starts a daemon as soon as it is installed unless this program says no.
forbid_starting() {
  [[ -e $policy ]] && return
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

install_packages() {
  forbid_starting
  echo "postfix postfix/main_mailer_type select Local only" | as_root debconf-set-selections
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  # Nor at the next start of the machine. One that was here before is left as it is.
  if [[ -d /run/systemd/system ]]; then
    local package
    for package in "$@"; do
      if [[ -n ${daemons[$package]-} ]]; then as_root systemctl disable "${daemons[$package]}"; fi
    done
  fi
}

install_npm_packages() {
  # The lock file has versions and hashes but no addresses: each machine asks its own registry.
  local stamp=$npm_folder/node_modules/.relight-installed
  [[ -e $stamp && ! $npm_folder/package-lock.json -nt $stamp ]] && return
  npm ci --prefix "$npm_folder" --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
  touch "$stamp"
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]})); then
  if ! may_install; then
    echo "These Debian packages are missing, and installing them takes root or sudo:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]})); then
    echo "Installed, but still not found: ${missing[*]}" >&2
    exit 1
  fi
fi
install_npm_packages
echo "All counterparts are here."
