"""`relight policy simulate` and `show`: what a policy would do, and what it looks like, before anybody meets it."""

import json
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, cast

import click

from relight.cli.actors import as_option, by_option, who
from relight.cli.backtest import tell_history
from relight.cli.compiled import running
from relight.cli.context import database, partner_id, refusals
from relight.cli.output import answer, json_option, news
from relight.cli.places import place
from relight.cli.policy_files import find_policy, policy_argument
from relight.core.money import to_decimal
from relight.core.policy import Policy
from relight.core.rules.lawbook import packaged_law
from relight.core.show.rows import picture
from relight.core.show.svg import as_svg
from relight.core.show.text import as_text
from relight.core.show.words import LANGUAGES, Words
from relight.core.simulate import charts
from relight.core.simulate.compare import IN_MINOR_UNITS, Interval, differences, measures
from relight.core.simulate.customers import Model
from relight.core.simulate.customers_file import WrongCustomers, read_model
from relight.core.simulate.parts import PART, parts, run
from relight.core.simulate.portfolio import Household, Spec
from relight.core.simulate.totals import Totals
from relight.flow.road.publishing import keep_what_if
from relight.flow.road.rehearsal import MADE_UP, OWN, START, Rehearsal
from relight.flow.road.whatif import local_today, own_portfolio


@click.command()
@policy_argument
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write an SVG picture here.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@refusals
def show(file: str, output: Path | None, language: str) -> None:
    """Draw a policy: steps on a line of days, with what the law asks beside what was chosen.

    Without -o it is told as text, for the terminal and for screen readers.

    Example:  relight policy show broadband-no -o broadband.svg
    """
    _, policy = find_policy(file)
    words = Words(language)
    drawn = picture(policy, packaged_law(), words)
    if output is None:
        click.echo(as_text(drawn, words), nl=False)
        return
    try:
        output.write_text(as_svg(drawn, words), "utf-8")
    except OSError as refused:
        raise click.ClickException(f"{output} cannot be written: {refused.strerror}.") from refused
    click.echo(f"Drawn: {output}")


@click.command()
@policy_argument
@click.option("--against", metavar="FILE", help="A second policy for the same people, to compare with.")
@click.option("--accounts", default=2000, show_default=True, type=click.IntRange(1, 10_000_000))
@click.option("--days", default=180, show_default=True, type=click.IntRange(1, 3650))
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--seeds", default=3, show_default=True, type=click.IntRange(1, 100), help="So many seeds, for intervals."
)
@click.option("--customers", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A model of your own.")
@click.option("--own", is_flag=True, help="The partner's own portfolio instead of one that is made up.")
@click.option("--keep", is_flag=True, help="Keep it as a draft of the partner, with these figures on record.")
@click.option("--partner", "partner_slug", metavar="SLUG", help="Whose, with --own or --keep.")
@as_option
@by_option
@click.option(
    "--history",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV of real bills with the day each was settled: which notices would have been needless?",
)
@click.option(
    "--dask", metavar="ADDRESS", default="", help="Work it out on a Dask cluster, by its scheduler's address."
)
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="A folder for plots and JSON.")
@json_option
@refusals
def simulate(
    file: str,
    against: str | None,
    accounts: int,
    days: int,
    seed: int,
    seeds: int,
    customers: Path | None,
    own: bool,
    keep: bool,
    partner_slug: str | None,
    as_user: str | None,
    by: str,
    history: Path | None,
    dask: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """What a policy would do to a portfolio: cases, messages, cuts, days to cure, money by day, and cost.

    Nothing is sent and nothing is written but what -o asks for. The customers are a model (see customers.yaml); with
    --against both policies meet the very same people, so that the differences mean more than the sums.

    Example:  relight policy simulate broadband-no --accounts 5000 --days 365 --seed 1
    """
    text, policy = find_policy(file)
    if history is not None:
        if keep:
            raise click.UsageError("--keep is for a what-if; --history tells what was, and a policy's stages do not.")
        tell_history(policy, history, as_json=as_json)
        return
    model_text = customers.read_text("utf-8") if customers else ""
    try:
        model = read_model(model_text)
    except WrongCustomers as wrong:
        raise click.ClickException(str(wrong)) from wrong
    start, people = _own(policy, model, partner_slug, days) if own else (START, [])
    names = {policy.name: text}
    if against:
        other_text, other = find_policy(against)
        names[other.name if other.name != policy.name else f"{other.name} (2)"] = other_text
    began, cpu = time.monotonic(), _cpu_of_children()
    spec = Spec(len(people) or accounts, start, days, seed)
    with place(dask) as executor:
        told = {name: _by_seed(executor, each, model_text, spec, people, seeds, name) for name, each in names.items()}
        core = executor.submit(running).result()
    result = _result(policy, told, spec, seeds, time.monotonic() - began, _cpu_of_children() - cpu) | {"core": core}
    if output:
        _write(output, told, result)
    if keep:
        _keep(text, result, own=own, slug=partner_slug, as_user=as_user, by=by)
    answer(result, as_json=as_json, text=_in_words(result, policy, told))


def _cpu_of_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _own(policy: Policy, model: Model, slug: str | None, days: int) -> tuple[date, list[Household]]:
    with database() as db:
        id_ = partner_id(db, slug)
        with db.transaction(id_) as tx:
            now = db.clock()
            people, today = own_portfolio(tx, policy, model, now=now, days=days), local_today(tx, now)
    if not people:
        raise click.ClickException("This partner has no accounts that the policy is for. Import invoices first.")
    return today, people


def _keep(text: str, result: dict[str, Any], *, own: bool, slug: str | None, as_user: str | None, by: str) -> None:
    """Put the policy's own figures on record at the partner."""
    asked = {name: result[name] for name in ("accounts", "days", "seed", "seeds", "currency")}
    what_if = Rehearsal(OWN if own else MADE_UP, measures=result["measures"][result["policy"]], **asked)
    with database() as db, db.transaction(partner_id(db, slug)) as tx:
        keep_what_if(tx, text, what_if, by=who(tx, as_user, by), now=db.clock())


def _by_seed(
    executor: Executor, text: str, customers: str, spec: Spec, people: Sequence[Household], seeds: int, name: str
) -> list[Totals]:
    found = []
    for number in range(seeds):
        each = Spec(spec.accounts, spec.start, spec.days, spec.seed + number)
        count = -(-each.accounts // PART)
        todo = parts(text, customers, each, people)
        found.append(run(executor, todo, _progress(f"{name}, seed {each.seed}", count)))
    return found


def _progress(what: str, count: int) -> Callable[[int], None]:
    def told(done: int) -> None:
        if done == count or done % max(1, count // 5) == 0:
            news(f"{what}: {done} of {count} parts")

    return told


def _result(
    policy: Policy, told: dict[str, list[Totals]], spec: Spec, seeds: int, seconds: float, cpu: float
) -> dict[str, Any]:
    decisions = sum(one.decisions for totals in told.values() for one in totals)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    (first, *others) = told
    result: dict[str, Any] = {
        "policy": first,
        "currency": policy.currency,
        "accounts": spec.accounts,
        "days": spec.days,
        "seed": spec.seed,
        "seeds": seeds,
        "measures": {name: _plain(measures(totals)) for name, totals in told.items()},
        "decisions": decisions,
        "decisions_per_second_per_core": round(decisions / cpu) if cpu else None,
        "account_years": round(spec.accounts * spec.days * seeds * len(told) / 365, 1),
        "seconds": round(seconds, 2),
        "peak_mb": round(peak / 1024),
    }
    for other in others:
        result["difference"] = {"ours": first, "theirs": other, **_plain(differences(told[first], told[other]))}
    return result


def _plain(found: dict[str, Interval]) -> dict[str, Any]:
    return {name: asdict(interval) for name, interval in found.items()}


def _write(folder: Path, told: dict[str, list[Totals]], result: dict[str, Any]) -> None:

    folder.mkdir(parents=True, exist_ok=True)
    named = f"{result['accounts']} accounts, {result['days']} days, {result['seeds']} seeds"
    (folder / "recovered.svg").write_text(charts.recovered(told, named), "utf-8")
    (folder / "sent.svg").write_text(charts.sent(told), "utf-8")
    (folder / "simulation.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    news(f"Written: {folder}/recovered.svg, sent.svg, simulation.json")


def _in_words(result: dict[str, Any], policy: Policy, told: dict[str, list[Totals]]) -> str:
    names = list(told)
    asked = f"{result['accounts']} accounts over {result['days']} days, {result['seeds']} seeds"
    lines = [f"{asked}; mean [95 % interval], sums in {policy.currency}"]
    lines.append(f"{'':20}" + "".join(f"  {name:>42}" for name in names))
    for measure in result["measures"][names[0]]:
        cells = [_cell(result["measures"][name][measure], measure, policy) for name in names]
        line = f"{measure.replace('_', ' '):20}" + "".join(f"  {cell:>42}" for cell in cells)
        if "difference" in result:
            gap = result["difference"][measure]
            sure = result["seeds"] > 1 and Interval(**gap).is_certain
            line += f"   {'differs' if sure else 'no sure difference'}"
        lines.append(line)
    lines.append(f"{result['decisions']:,} decisions in {result['seconds']} s.")
    return "\n".join(lines)


def _cell(found: dict[str, int], measure: str, policy: Policy) -> str:
    def shown(value: int) -> str:
        return f"{to_decimal(value, policy.currency):,}" if measure in IN_MINOR_UNITS else f"{value:,}"

    if found["low"] == found["high"]:
        return shown(found["mean"])
    return f"{shown(found['mean'])} [{shown(found['low'])} to {shown(found['high'])}]"


def register(group: click.Group) -> None:
    """Add the commands to `relight policy`."""
    for command in (show, simulate):
        group.add_command(cast(click.Command, command))
