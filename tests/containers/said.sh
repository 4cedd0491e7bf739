# What a script by hand tells while it looks: ok or WRONG, a line each. `ended` gives the exit code.
wrong=
heading() { printf '\n%s\n' "$*"; }
expect() { # SENTENCE COMMAND…
    local sentence=$1 told
    shift
    if told=$("$@" 2>&1); then echo "  ok     $sentence"; else echo "  WRONG  $sentence" && echo "$told" | tail -15 && wrong=1; fi
}
soon() { # the same, once within two minutes
    local sentence=$1 turn
    shift
    for turn in $(seq 120); do "$@" >/dev/null 2>&1 && break; sleep 1; done
    expect "$sentence" "$@"
}
says() { local wanted=$1; shift; "$@" 2>&1 | grep -qF -- "$wanted"; }
is() { local wanted=$1; shift; [ "$("$@" 2>&1)" = "$wanted" ]; }
ended() { [ -z "$wrong" ]; }
