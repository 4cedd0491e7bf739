"""`relight bench …`: each prints its figure, and where there is one, the raw limit measured in the same run.

The benchmarks lie beside the package, in a source checkout's `bench/`, since they need the counterparts of the tests.
Each makes a private installation and removes it; nothing of yours is read or written. docs/benchmarks.md says what the
figures mean.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import relight
from relight.cli.context import refusals
from relight.cli.output import answer, json_option, news

_CHECKOUT = Path(str(relight.__file__)).resolve().parents[2]


_beside = click.option(
    "--beside", default=0, type=click.IntRange(min=0),
    help="So many whole accounts that sleep belong to the same partners (1000000 take minutes to fill in).",
)  # fmt: skip


@click.group()
def bench() -> None:
    """Measure: figures with the raw limit beside them.

    Example:  relight bench restore --json
    """


@bench.command()
@click.option("--runs", default=100, show_default=True, type=click.IntRange(min=1), help="Payments of each kind.")
@click.option(
    "--load", "load_cases", default=100_000, show_default=True, type=click.IntRange(min=0),
    help="Cases that are being decided meanwhile; 0: nothing else goes on.",
)  # fmt: skip
@click.option("--power", type=click.IntRange(min=0), help="Payments for power, if not as many; each has a meter.")
@click.option("--rate", default=5.0, show_default=True, type=click.FloatRange(min=0.1), help="Payments a second.")
@click.option("--import", "import_rows", default=0, type=click.IntRange(min=0), help="Import so many rows meanwhile.")
@click.option("--feed", "feed_events", default=0, type=click.IntRange(min=0), help="Tell so many events meanwhile.")
@_beside
@json_option
@refusals
def restore(
    runs: int,
    load_cases: int,
    power: int | None,
    rate: float,
    import_rows: int,
    feed_events: int,
    beside: int,
    as_json: bool,
) -> None:
    """From a signed webhook to light: FreeRADIUS and meters, separate web and worker processes, beside a night run.

    \b
    Example:  relight bench restore --runs 20
    Example:  relight bench restore --runs 15000 --power 60 --rate 50 --load 300000 --import 1000000 --feed 1000000
    """
    _measure("restore", as_json, runs=runs, load_cases=load_cases, power=runs if power is None else power, rate=rate,
             import_rows=import_rows, feed_events=feed_events, beside=beside)  # fmt: skip


@bench.command()
@click.option("--cases", default=40_000, show_default=True, type=click.IntRange(min=1), help="Due cases to decide.")
@click.option("--processes", default=2, show_default=True, type=click.IntRange(min=1), help="Workers side by side.")
@click.option(
    "--sleeping", default=0, show_default=True, type=click.IntRange(min=0),
    help="Also measure finding due work beside so many rows of cases that are not due (7400000 take minutes).",
)  # fmt: skip
@click.option("--plain", is_flag=True, help="In plain Python, though there may be a compiled core.")
@click.option("--shuffled", is_flag=True, help="Cases fall due in no order, so that neighbours' rows lie apart.")
@_beside
@json_option
@refusals
def decide(cases: int, processes: int, sleeping: int, plain: bool, shuffled: bool, beside: int, as_json: bool) -> None:
    """Case steps a second, beside a bare loop with the same statements and rows and a constant for a decision.

    \b
    Example:  relight bench decide --cases 100000
    Example:  relight bench decide --sleeping 7400000
    Example:  relight bench decide --cases 300000 --beside 1000000
    """
    _measure("decide", as_json, cases=cases, processes=processes, sleeping=sleeping, plain=plain,
             shuffled=shuffled, beside=beside)  # fmt: skip


@bench.command("import")
@click.option("--rows", default=200_000, show_default=True, type=click.IntRange(min=1), help="Invoices in the file.")
@_beside
@json_option
@refusals
def import_(rows: int, beside: int, as_json: bool) -> None:
    """Invoices a second from a CSV file, beside the owner's COPY of the same rows.

    Example:  relight bench import --rows 1000000
    """
    _measure("importing", as_json, rows=rows, beside=beside)


@bench.command()
@click.option("--links", default=100_000, show_default=True, type=click.IntRange(min=100), help="Distinct pay links.")
@click.option("--seconds", default=20, show_default=True, type=click.IntRange(min=1), help="How long to ask.")
@json_option
@refusals
def paypage(links: int, seconds: int, as_json: bool) -> None:
    """Pay pages a second from one core, each link asked for once at most.

    Example:  relight bench paypage --seconds 60
    """
    _measure("paypage", as_json, links=links, seconds=seconds)


@bench.command()
@click.option("--accounts", default=20_000, show_default=True, type=click.IntRange(min=2), help="Each for a year.")
@click.option("--plain", is_flag=True, help="In plain Python, though there may be a compiled core.")
@json_option
@refusals
def simulate(accounts: int, plain: bool, as_json: bool) -> None:
    """Decisions a second and core of a what-if, all guards on, beside `decide` alone.

    Example:  relight bench simulate --accounts 1000000
    """
    _measure("simulate", as_json, accounts=accounts, plain=plain)


@bench.command()
@click.option("--events", default=100_000, show_default=True, type=click.IntRange(min=1_000), help="One partner's.")
@json_option
@refusals
def feed(events: int, as_json: bool) -> None:
    """Positions a second beside a bare copy of the rows, what writers notice, and how far readers are behind.

    Example:  relight bench feed --events 1000000
    """
    _measure("feed", as_json, events=events)


@bench.command()
@click.option(
    "--messages", default=20_000, show_default=True, type=click.IntRange(min=4), help="Text messages to send."
)
@click.option(
    "--runs", default=20, show_default=True, type=click.IntRange(min=0), help="Payments of each kind; 0: none."
)
@click.option(
    "--load", "load_cases", default=20_000, show_default=True, type=click.IntRange(min=1_000),
    help="Cases that are being decided meanwhile.",
)  # fmt: skip
@json_option
@refusals
def effects(messages: int, runs: int, load_cases: int, as_json: bool) -> None:
    """Text messages a second through one SMPP link, and restores beside an SMSC that takes two seconds for each.

    Example:  relight bench effects --runs 0
    """
    _measure("effects", as_json, messages=messages, runs=runs, load_cases=load_cases)


def _measure(name: str, as_json: bool, **sizes: float) -> None:
    """Run one benchmark of the checkout and print what it found."""
    module = _benchmark(name)
    run: Callable[..., Mapping[str, Any]] = module.run
    in_text: Callable[[Mapping[str, Any]], str] = module.in_text
    try:
        result = run(**sizes, news=news)
    except (RuntimeError, TimeoutError) as failed:
        raise click.ClickException("\n".join([str(failed), *getattr(failed, "__notes__", [])])) from failed
    answer(result, as_json=as_json, text=in_text(result))


def _benchmark(name: str) -> ModuleType:
    if not (_CHECKOUT / "bench" / "__init__.py").is_file() or not (_CHECKOUT / "tests" / "counterparts").is_dir():
        raise click.ClickException(
            "Benchmarks need a source checkout: bench/ and tests/counterparts/ are not beside this installation. "
            "Clone the repository, and run `make setup-test counterparts` and `.venv/bin/relight bench` there."
        )
    if str(_CHECKOUT) not in sys.path:
        sys.path.insert(0, str(_CHECKOUT))
    try:
        return import_module(f"bench.{name}")
    except ModuleNotFoundError as missing:
        raise click.ClickException(
            f"The counterparts' {missing.name} is not installed: run `make setup-test counterparts` first."
        ) from missing
