"""Small runs of the benchmarks, as commands: the figures are nobody's business here, what they are made of is."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import plans, plot, table
from bench.figures import percentiles
from relight.cli import bench as command
from relight.flow.road.turn import BATCH
from tests.journeys.processes import to_its_end
from tests.soak import verdict

# What bench/plans.py fills by the ten thousand.
_READ_WHOLE = re.compile(
    r"Seq Scan on (account|account_role|dunning_case|claim|claim_line|transfer|effect|service|supply|payment|attempt"
    r"|pay_link|checkout|provider_notice|case_event|feed|feed_pending)\b"
)
pytestmark = pytest.mark.timeout(360)
_RELIGHT = (sys.executable, "-m", "relight.project.main")


def bench(*words: str) -> dict[str, Any]:
    """A benchmark's last line, read."""
    done = to_its_end([*_RELIGHT, "bench", *words, "--json"], seconds=280)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.counterpart
def test_all_who_pay_beside_a_night_run_are_seen_back_on_the_real_counterparts() -> None:
    found = bench("restore", "--runs", "4", "--load", "12000", "--import", "3000", "--feed", "2000", "--beside", "100")

    assert found["runs"] == 4
    assert found["lost"] == 0
    assert all(set(found[name]) >= {"p50", "p95", "p99"} for name in ("inside_ms", "broadband_ms", "power_ms"))
    assert 0 < found["inside_ms"]["p50"] <= found["broadband_ms"]["max"]
    assert found["raw"] == {"runs": 4, "power": 4, "not_proven": 0}, "the bare loop reaches the same counterparts"
    assert 0 < found["raw_inside_ms"]["p50"] <= found["raw_broadband_ms"]["max"]
    assert found["ratio"] == pytest.approx(found["raw_inside_ms"]["p50"] / found["inside_ms"]["p50"], abs=0.01)
    assert found["load"]["decided"] > 0
    assert found["load"]["beside"] == 8, "each payment came while cases waited to be decided"
    also = found["load"]["also"]
    assert also["feed"]["read"] == also["feed"]["events"] <= 2000
    assert 0 <= also["import"]["rows"] <= 3000
    assert found["asleep"]["accounts"] == 100
    assert found["asleep"]["partners"] == 1, "theirs who pay"


def test_the_bare_loop_writes_what_was_decided_and_each_case_counts_once() -> None:
    found = bench("decide", "--cases", "640", "--sleeping", "2000", "--beside", "305")

    assert found["cases"] == found["moved"] + found["deferred"] == 640
    assert found["steps"] == 240, "three of eight shapes take a step"
    assert found["left"] == 0, "who sleeps beside them is not counted"
    assert found["asleep"]["accounts"] == 305
    assert found["asleep"]["partners"] == 10, "both sides of four rounds and of the warm-up"
    assert abs(found["raw_bytes"] - found["bytes"]) <= 0.01 * found["bytes"]
    assert found["ratio"] == pytest.approx(found["steps_per_second"] / found["raw_steps_per_second"], rel=0.05)
    assert found["processor_us"]["decided"]["python"] > found["processor_us"]["bare"]["python"] > 0
    assert [size["sleeping"] for size in found["finding"]["sizes"]] == [2000]
    assert all(size["first_batch"]["rows"] == BATCH["bulk"] for size in found["finding"]["sizes"])
    assert set(found["finding"]["grows"].values()) == {1.0}


def test_imported_and_copied_rows_are_as_many_in_each_table() -> None:
    found = bench("import", "--rows", "500", "--beside", "200")

    assert found["rows"] == 500
    assert found["asleep"]["accounts"] == 200
    assert found["written"] == {"claim": 500, "claim_line": 500, "transfer": 500, "case_event": 0}
    assert found["ratio"] == pytest.approx(
        found["rows_per_second"] / found["copy_rows_per_second"], rel=0.05, abs=0.001
    )
    assert found["peak_mb"] > 10
    one, two = found["by_sessions"]["1"], found["by_sessions"]["2"]
    assert one["copy_rows_per_second"] == found["copy_rows_per_second"]
    assert two["rows_per_second"] == found["rows_per_second"]
    assert all(0 < both["rows_per_second"] < both["copy_rows_per_second"] for both in (one, two))


def test_pay_pages_are_answered_one_link_at_a_time_and_the_page_is_light() -> None:
    found = bench("paypage", "--links", "8000", "--seconds", "1")

    assert 0 < found["requests"] < found["links"]
    assert found["requests_per_second"] > 0
    assert found["p99_ms"] >= found["p50_ms"]
    assert 1_000 < found["page_bytes"] <= 60 * 1024
    assert 0 < found["raw_requests"] <= 4000, "links of its own, half as many"
    assert found["html_bytes"] <= found["page_bytes"], "as many bytes as a bare page answers"
    assert found["ratio"] == pytest.approx(found["requests_per_second"] / found["raw_requests_per_second"], rel=0.05)


def test_a_what_if_counts_each_call_of_decide_and_tells_what_twice_the_accounts_cost() -> None:
    found = bench("simulate", "--accounts", "300")

    assert found["account_years"] == 300
    assert found["decisions"] > 300 * 24, "each bill and each payment is a turn"
    assert 0 < found["decisions_per_second_per_core"] < found["decide_alone_per_second"]
    assert found["peak_mb"] >= found["twice_the_accounts"]["peak_mb_half"] > 10
    assert [one["accounts"] for one in found["runs"]] == [150, 300, 150], "the halves before and after the whole"
    assert all(0 < one["start_up_seconds"] < one["seconds"] for one in found["runs"])
    assert found["twice_the_accounts"]["cpu"] > 0


def test_each_reader_of_the_feed_sees_each_event_once_beside_a_kill_and_an_old_snapshot() -> None:
    found = bench("feed", "--events", "2000")

    assert found["events"] == 2001, "and one that was written first and came last"
    assert found["readers"] == {"quick": 2001, "slow": 2001}
    assert found["ratio"] == pytest.approx(found["events_per_second"] / found["raw_events_per_second"], rel=0.05)
    assert found["writers_seen_waiting"]["looks"] > 0
    assert 0 < found["lag_ms"]["p50"] <= found["lag_ms"]["max"]


@pytest.mark.counterpart
def test_messages_through_one_link_and_raw_ones_are_all_taken_by_the_smsc() -> None:
    found = bench("effects", "--messages", "400", "--runs", "0")

    assert found["messages"] == 400, "the SMSC's own count is compared with it"
    assert found["ratio"] == pytest.approx(found["messages_per_second"] / found["raw_messages_per_second"], rel=0.05)
    assert found["receipts"] > 0


def test_make_bench_runs_every_benchmark_and_each_has_its_rows_in_the_table_and_a_kept_result() -> None:
    makefile = (Path(table.__file__).parents[1] / "Makefile").read_text("utf-8")
    benches = set(re.search(r"^BENCHES := (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    results = sorted((Path(table.__file__).parent / "results").glob("*.json"))

    rows = table.table(results).splitlines()

    assert benches == set(command.bench.commands)
    assert {file.stem.rpartition("-")[2] for file in results} >= benches
    assert len(rows) > len(results)


def test_restores_beside_everything_say_how_much_of_it_was_done_meanwhile(tmp_path: Path) -> None:
    also = {
        "import": {"rows": 1200, "of": 5000, "per_second": 40, "whole": True},
        "feed": {"events": 700, "per_second": 23, "whole": True, "read": 700},
    }
    load = {"cases": 9000, "decided": 800, "per_second": 27, "also": also}
    spread = {"p50": 20.0, "p95": 40.0, "p99": 60.0, "max": 70.0}
    file = tmp_path / "2026-11-28-loaded.json"
    file.write_text(json.dumps({"runs": 100, "power": 50, "rate": 50.0, "inside_ms": spread, "load": load}))

    told = table.table([file])

    assert "800 of 9,000 cases decided (27 a second)" in told
    assert "1,200 of 5,000 imported rows (40 a second)" in told
    assert "700 events told (23 a second)" in told, "results from before `of` was kept are read too"


def test_what_was_measured_beside_whole_portfolios_says_so(tmp_path: Path) -> None:
    kept = Path(table.__file__).parent / "results" / "2026-11-27-decide.json"
    file = tmp_path / "2026-11-28-beside-decide.json"
    file.write_text(json.dumps(json.loads(kept.read_text("utf-8")) | {"asleep": {"accounts": 1_000_000}}))

    told = table.table([kept, file]).splitlines()

    assert told[2].startswith(
        "| case steps a second, 2 processes, 300,000 cases, due together and side by side in every table |"
    )
    assert "in every table, beside 1,000,000 whole accounts that sleep |" in told[3]


def test_restores_stand_beside_the_bare_loop_where_it_was_measured(tmp_path: Path) -> None:
    ours, raw = {"p50": 20.0, "p95": 40.0, "p99": 60.0, "max": 70.0}, {"p50": 5.0, "p95": 9.0, "p99": 11.0, "max": 12.0}
    load = {"cases": 0, "decided": 0, "per_second": 0, "also": {}}
    found = {"runs": 100, "power": 50, "rate": 5.0, "inside_ms": ours, "load": load}
    with_raw, without = tmp_path / "2026-11-28-idle.json", tmp_path / "2026-11-27-idle.json"
    with_raw.write_text(json.dumps(found | {"raw_inside_ms": raw}))
    without.write_text(json.dumps(found))

    told = table.table([with_raw, without]).splitlines()

    assert told[2].endswith("| p50 20 · p95 40 · p99 60 ms | p50 5 · p95 9 · p99 11 ms | 0.25 |")
    assert told[3].endswith("| p50 20 · p95 40 · p99 60 ms | not measured yet |  |")


def test_an_import_is_held_against_copies_by_as_many_sessions_and_by_one(tmp_path: Path) -> None:
    both = {"rows_per_second": 4000, "copy_rows_per_second": 9000, "ratio": 0.444}
    kept = {"rows": 5000, "rows_per_second": 6000, "copy_rows_per_second": 9000, "ratio": 0.667, "peak_mb": 99.0}
    file = tmp_path / "2026-11-28-import.json"
    file.write_text(json.dumps(kept | {"by_sessions": {"1": both, "2": both | {"ratio": 0.375}}}))

    rows = table.table([file]).splitlines()[2:]

    assert ["by two sessions, beside COPY by one" in rows[0], "| 0.67 |" in rows[0]] == [True, True]
    assert [row.split("|")[1].strip() for row in rows[1:]] == ["the same, both by one", "the same, both by two"]
    assert ["| 0.44 |" in rows[1], "| 0.38 |" in rows[2]] == [True, True]


def test_a_night_under_a_snapshot_is_as_long_as_its_searches_found_cases(tmp_path: Path) -> None:
    kept = json.loads(next((Path(table.__file__).parent / "results").glob("*-snapshot.json")).read_text("utf-8"))
    kept["under"] |= {"searches": 30, "going_on": {"pages": 9, "rows": 800.0, "ms": 1.0}}
    file = tmp_path / "2026-11-28-snapshot.json"
    file.write_text(json.dumps(kept))

    assert "a night of 24,000" in table.table([file])


def test_the_kept_hour_of_steady_load_is_flat_by_the_limits_of_today() -> None:
    kept = sorted((Path(table.__file__).parent / "results").glob("*-soak.json"))[-1]

    verdicts = verdict.judge(json.loads(kept.read_text("utf-8"))["samples"])

    assert [one for one in verdicts if not one["flat"]] == []


def test_plans_are_kept_of_every_hot_statement_and_none_reads_a_table_that_was_filled_from_end_to_end() -> None:
    kept = {file.stem: file.read_text("utf-8") for file in plans.FOLDER.glob("*.txt")}

    beside_the_night_run = {name for name in kept if not name.startswith(("facts-", "record-"))}

    assert beside_the_night_run == set(plans.hot()) - {"facts-claim_due_urgent"}
    assert "facts-claim_due_urgent" in kept
    assert {name for name, plan in kept.items() if _READ_WHOLE.search(plan)} == set()


def test_without_a_source_checkout_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_CHECKOUT", tmp_path)

    said = CliRunner().invoke(command.bench, ["decide"])

    assert said.exit_code == 1
    assert "need a source checkout" in said.output


def test_percentiles_are_values_that_were_measured() -> None:
    found = percentiles([float(n) for n in range(1, 201)])

    assert found == {"p50": 100.0, "p95": 190.0, "p99": 198.0, "max": 200.0}


def test_the_picture_shows_ratios_with_their_aims_and_a_line_over_the_sizes() -> None:
    kinds = ("which_partners", "first_batch", "last_batch_under_old_snapshot", "the_same_from_the_start")
    sizes = [
        {"sleeping": size, "turn_us": 250, **{kind: {"pages": 100} for kind in kinds}} for size in (10_000, 90_000)
    ]

    both = plot.draw({"decide": {"ratio": 0.72, "finding": {"sizes": sizes}}, "import": {"ratio": 0.41}})
    alone = plot.draw({"decide": {"ratio": 0.72}, "paypage": {"requests_per_second": 500.0}})

    assert all(words in both for words in ("0.72", "aim 0.7", "0.41", "aim 0.5", "10,000", "90,000", "the same, from"))
    assert both.count("case rows only") == 2, "so that nobody takes them for whole customers"
    assert both.count("<circle") == 2 * (len(kinds) + 1), "a spot for each size on each line"
    assert "0.72" in alone
    assert "<circle" not in alone
    assert "invoices" not in alone
    assert "pay pages" not in alone, "what was kept from before it had a raw limit has no bar"
