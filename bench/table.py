"""Results as a table for docs/benchmarks.md: `python -m bench.table bench/results/2026-11-25-*.json`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import share
from bench.finding import few_of

Result = Mapping[str, Any]

_NOT_YET = "not measured yet"  # in results from before there was a raw limit


def table(files: Sequence[Path]) -> str:
    """Markdown, one row a figure; the benchmark is the last word of a file's name."""
    rows = [row for file in files for row in _ROWS[file.stem.rpartition("-")[2]](json.loads(file.read_text("utf-8")))]
    return "\n".join(["| figure | measured | raw limit | ratio |", "|---|---|---|---|", *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _restore(found: Result) -> list[Sequence[str]]:
    names = {
        "inside_ms": "webhook heard → command reaches FreeRADIUS or meter",
        "broadband_ms": "webhook sent → proven log-in",
        "power_ms": "webhook sent → ready for its button",
    }
    rows: list[Sequence[str]] = [
        (
            f"{name} ({found['runs'] * (2 if key == 'inside_ms' else 1)} payments{_asleep(found)})",
            *_beside_bare(found, key),
        )
        for key, name in names.items()
    ]
    load = found["load"]
    beside = f"{load['decided']:,} of {load['cases']:,} cases decided meanwhile, {load['per_second']:,} a second"
    return [*rows, (f"beside it: {beside}", f"waiting at {load['beside']} of {2 * found['runs']} payments", "", "")]


def _at_a_rate(found: Result) -> list[Sequence[str]]:
    """Restores at a rate, alone or beside everything; then also how much of everything was done meanwhile."""
    load = found["load"]
    payments = f"{found['runs'] + found['power']:,} payments, {found['rate']:g} a second"
    beside = "beside a night run, an import and a feed" if load["cases"] else "with nothing else going on"
    name = f"{beside}: webhook heard → command ({payments}{_asleep(found)})"
    rows: list[Sequence[str]] = [(name, *_beside_bare(found, "inside_ms"))]
    return [*rows, ("what was done beside them", _done_beside(load), "", "")] if load["cases"] else rows


def _done_beside(load: Result) -> str:
    """How much of what there was to do besides was done until the last payment."""
    units = {"import": ("rows", "imported rows"), "feed": ("events", "events told")}
    others = [
        _share(also[unit], also.get("of"), words, also["per_second"])
        for name, also in load["also"].items()
        for unit, words in [units[name]]
    ]
    return " · ".join([_share(load["decided"], load["cases"], "cases decided", load["per_second"]), *others])


def _share(done: int, of: int | None, words: str, per_second: int) -> str:
    return f"{done:,}{f' of {of:,}' if of else ''} {words} ({per_second:,} a second)"


def _beside_bare(found: Result, key: str) -> Sequence[str]:
    """Milliseconds, the bare loop's where it was measured, and its median as a share of ours."""
    ours, raw = found[key], found.get(f"raw_{key}", {})
    beside = (_in_ms(raw), f"{share(raw, ours):.2f}") if raw else (_NOT_YET, "")
    return (_in_ms(ours), *beside)


def _asleep(found: Result) -> str:
    """Who slept beside it."""
    return f", beside {found['asleep']['accounts']:,} whole accounts that sleep" if "asleep" in found else ""


def _in_ms(spread: Result) -> str:
    return f"{' · '.join(_spread(spread))} ms"


def _spread(found: Result) -> list[str]:
    return [f"{name} {found[name]:.0f}" for name in ("p50", "p95", "p99") if name in found]


def _decide(found: Result) -> list[Sequence[str]]:
    orders = {"calendar": ", due together and side by side in every table", "shuffled": ", in no order"}
    order = orders.get(found.get("order", ""), "")
    name = f"case steps a second, {found['processes']} processes, {found['cases']:,} cases{order}{_asleep(found)}"
    return [(name, f"{found['steps_per_second']:,}", f"{found['raw_steps_per_second']:,}", f"{found['ratio']:.2f}")]


def _sleeping(found: Result) -> list[Sequence[str]]:
    """What it costs to find due work; in the place of a raw limit, the same beside the fewest of the comparison."""
    few, many = few_of(found["finding"]["sizes"]), found["finding"]["sizes"][-1]
    names = {"first_batch": "", "last_batch_under_old_snapshot": ", the last under an old snapshot"}
    rows = [
        (f"pages to find a batch of due cases beside {many['sleeping']:,} rows of cases that sleep{words}",
         f"{many[key]['pages']:,}",
         f"{few[key]['pages']:,} beside {few['sleeping']:,}", f"{found['finding']['grows'][key]:.2f}")
        for key, words in names.items()
    ]  # fmt: skip
    return list(rows)


def _snapshot(found: Result) -> list[Sequence[str]]:
    """A search that goes on after the batch before, and its like; beside the same without the snapshot."""
    under, without, ratio = found["under"], found["without"], found["ratio"]
    held = f"under a snapshot of {found['minutes']:.0f} minutes, {found['turned']:,} turned since"
    return [
        (f"pages to find a batch of due cases {held}", f"{under['going_on']['pages']:,}",
         f"{without['going_on']['pages']:,} without", f"{ratio['going_on']:.2f}"),
        (f"the same in a night of {_in_the_night(under):,}, the mean of all searches",
         f"{under['search_ms']['mean']:.1f} ms",
         f"{without['search_ms']['mean']:.1f} ms without", f"{ratio['search_ms']:.2f}"),
        ("pages to ask which partners have due cases", f"{under['which_partners']['pages']:,}",
         f"{without['which_partners']['pages']:,} without", f"{ratio['which_partners']:.2f}"),
        (f"pages to find what leaves next, {found['left']:,} left since", f"{under['leaving']['going_on']['pages']:,}",
         f"{without['leaving']['going_on']['pages']:,} without", f"{ratio['leaving_going_on']:.2f}"),
    ]  # fmt: skip


def _in_the_night(under: Result) -> int:
    """Cases of the measured night: each search found a batch."""
    return round(under["searches"] * under["going_on"]["rows"])


def _import(found: Result) -> list[Sequence[str]]:
    """The command beside COPY by one session, and where it was measured, like beside like."""
    name = f"invoices a second, {found['rows']:,} rows, at most {found['peak_mb']:.0f} MB{_asleep(found)}"
    kinds = {f"{name}: by two sessions, beside COPY by one": found}
    kinds |= {f"the same, both by {'two' if count == '2' else 'one'}": both
              for count, both in found.get("by_sessions", {}).items()}  # fmt: skip
    return [
        (words, f"{both['rows_per_second']:,}", f"{both['copy_rows_per_second']:,}", f"{both['ratio']:.2f}")
        for words, both in kinds.items()
    ]


def _paypage(found: Result) -> list[Sequence[str]]:
    name = f"pay pages a second on one core, p99 {found['p99_ms']:.0f} ms, {found['page_bytes'] / 1024:.1f} KB each"
    raw = (f"{found['raw_requests_per_second']:,.0f}", f"{found['ratio']:.2f}") if "ratio" in found else (_NOT_YET, "")
    return [(name, f"{found['requests_per_second']:,.0f}", *raw)]


def _simulate(found: Result) -> list[Sequence[str]]:
    per_core, alone = found["decisions_per_second_per_core"], found["decide_alone_per_second"]
    ran = f", {found['core']} core" if "core" in found else ""
    name = f"what-if{ran}: decisions a second and core, beside `decide` alone, at most {found['peak_mb']} MB"
    years = f"what-if: account-years a second, {found['account_years']:,} in {found['seconds']:.0f} s"
    return [
        (name, f"{per_core:,}", f"{alone:,}", f"{per_core / alone:.2f}"),
        (years, f"{found['account_years_per_second']:,}", "", ""),
    ]


def _bank(found: Result) -> list[Sequence[str]]:
    quarter = f"{found['quarter']['peak_mb']:.0f} MB for a quarter of it"
    name = f"payments a second from a camt.054 of {found['megabytes']:.0f} MB, at most {found['peak_mb']:.0f} MB"
    return [(f"{name} ({quarter})", f"{found['rows_per_second']:,}", "", "")]


def _pairs(found: Result) -> list[Sequence[str]]:
    name = f"pairs of policy and life that contradict the proof, of {found['policies']:,} policies"
    return [(name, f"{found['contradictions']} of {found['pairs']:,}", "", "")]


def _logs(found: Result) -> list[Sequence[str]]:
    return [("logs on which guards and audit disagree", f"{found['disagreements']} of {found['logs']:,}", "", "")]


def _damage(found: Result) -> list[Sequence[str]]:
    refused = sum(one["refused"] for one in found["files"].values())
    return [("damaged bank files read", f"{found['copies']:,}, none crashed, {refused:,} refused whole", "", "")]


def _booked(found: Result) -> list[Sequence[str]]:
    booked = sum(one["payments_booked"] for one in found["files"].values())
    return [("damaged bank files booked", f"{found['copies']:,}, none wrongly, {booked:,} payments", "", "")]


def _year(found: Result) -> list[Sequence[str]]:
    lived = f"{found['days']} days of {found['accounts']:,} accounts"
    name = f"parts of the books that differ after {found['kills']} kills in {lived}"
    return [(name, f"{len(found['differences'])} of {len(found['ending'])}", "", "")]


def _simulation(found: Result) -> list[Sequence[str]]:
    faults = f"{found['steps']:,} statements, {sum(found['faults'].values()):,} faults"
    return [(f"violations in {found['seeds']:,} simulated histories ({faults})", f"{len(found['violations'])}", "", "")]


def _planted(found: Result) -> list[Sequence[str]]:
    seeds = [bug["seed"] for bug in found["found"].values() if bug["expected"]]
    asked = f"{len(found['found'])}, within {found['seeds']} seeds each"
    return [
        (
            f"planted bugs that histories find as what they are, of {asked}",
            f"{len(seeds)}, by seed {max(seeds)}",
            "",
            "",
        )
    ]


def _chaos(found: Result) -> list[Sequence[str]]:
    died = f"{found['kills']} kills, {found['failovers']} fail-overs and {found['others']} other faults"
    kinds = {"after a kill": found.get("recovery_after_kill_seconds"),
             "after a fail-over": found["recovery_seconds"].get("fail_over")}  # fmt: skip
    late = {"late_beside_a_fault": "restores that a fault made leave later than a second",
            "restores_left_late": "restores that left later than a second, not held against the faults"}  # fmt: skip
    return [
        (f"wrong after {died}, {found['payments']:,} payments", f"{len(found['wrong'])}", "", ""),
        *((name, f"{found[figure]}", "", "") for figure, name in late.items() if figure in found),
        *(
            (f"until all is as it was, {name}", f"{' · '.join(_spread(seconds))}, max {seconds['max']:.0f} s", "", "")
            for name, seconds in kinds.items()
            if seconds
        ),
    ]


def _feed(found: Result) -> list[Sequence[str]]:
    raw, ratio = f"{found['raw_events_per_second']:,}", f"{found['ratio']:.2f}"
    waits, lag = found["writers_seen_waiting"], " · ".join(_spread(found["lag_ms"]))
    return [
        (f"feed: positions a second, {found['events']:,} events", f"{found['events_per_second']:,}", raw, ratio),
        ("feed: a quick reader behind the writers, with all at once", f"{lag} ms", "", ""),
        ("feed: looks at which a writer waited for a lock", f"{waits['waiting']} of {waits['looks']:,}", "", ""),
    ]


def _effects(found: Result) -> list[Sequence[str]]:
    raw, ratio = f"{found['raw_messages_per_second']:,}", f"{found['ratio']:.2f}"
    beside = [
        (f"restores beside a {name} SMSC: webhook heard → command ({2 * one['runs']} payments)",
         *_beside_bare(one, "inside_ms"))
        for name, one in found.get("restores", {}).items()
    ]  # fmt: skip
    name = f"text messages a second through one SMPP link, window {found['window']}"
    return [(name, f"{found['messages_per_second']:,}", raw, ratio), *beside]


def _soak(found: Result) -> list[Sequence[str]]:
    grown = [f"{one['figure']} of {one['of']}" for one in found["verdicts"] if not one["flat"]]
    flat = f"{len(found['verdicts']) - len(grown)} of {len(found['verdicts'])}"
    name = f"figures that stay flat in {found['minutes']:.0f} minutes of steady load"
    return [(name, flat + (f"; not: {', '.join(grown)}" if grown else ""), "", "")]


def _tuning(found: Result) -> list[Sequence[str]]:
    """What a setting is worth; in the place of a raw limit, the usual settings before and after it."""
    return [
        (f"case steps a second, {one['name']}", f"{one['steps_per_second']:,}",
         f"{one['usual_steps_per_second']:,} as usual", f"{one['against_usual']:.2f}")
        for one in found["trials"]
    ]  # fmt: skip


_ROWS = {
    "bank": _bank,
    "restore": _restore,
    "idle": _at_a_rate,
    "loaded": _at_a_rate,
    "decide": _decide,
    "shuffled": _decide,
    "sleeping": _sleeping,
    "snapshot": _snapshot,
    "import": _import,
    "paypage": _paypage,
    "simulate": _simulate,
    "pairs": _pairs,
    "logs": _logs,
    "damage": _damage,
    "booked": _booked,
    "year": _year,
    "feed": _feed,
    "effects": _effects,
    "soak": _soak,
    "simulation": _simulation,
    "planted": _planted,
    "chaos": _chaos,
    "tuning": _tuning,
}

if __name__ == "__main__":
    print(table([Path(name) for name in sys.argv[1:]]))
