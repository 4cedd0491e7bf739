#!/usr/bin/env bash
# Says how many tests this machine could not collect, and why. Ends `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
none=1

leave_out() { # why, files
  local why=$1 number=0
  shift
  if [[ -e $1 ]]; then
    number=$(cat "$@" | grep -cE '^ *(async )?def test_' || true)
  fi
  echo "$number tests left out: $why"
  none=0
}

if [[ ! -d ../shared ]]; then
  leave_out "they need the material in ../shared, which is not here." tests/shared/test_*.py
fi
if ((EUID != 0)); then
  leave_out "only root can become somebody else." tests/embedded/test_as_root.py tests/embedded/test_by_hand_as_root.py
fi
refusal=$(.venv/bin/python -c "from tests.chaos.network import refusal; print(refusal())")
if [[ -n $refusal ]]; then
  leave_out "$refusal" tests/chaos/test_shortly.py
fi
if ((none)); then
  echo "0 tests left out."
fi
