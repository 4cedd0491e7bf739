"""`relight partner limits`: how many services may be cut an hour and a day, how many were, and how the drivers are."""

import click

from relight.cli.context import database, partner_id, refusals
from relight.cli.output import answer, json_option
from relight.flow.database import Tx
from relight.flow.effects import rests
from relight.flow.road.release import SQL as RELEASE

_LIMITS = "SELECT cuts_per_hour, cuts_per_day FROM partner WHERE id = %(partner)s"


@click.command("limits")
@click.argument("slug")
@click.option("--cuts-per-hour", "hourly", type=click.IntRange(min=0), help="At most so many from now on.")
@click.option("--cuts-per-day", "daily", type=click.IntRange(min=0), help="At most so many from now on.")
@json_option
@refusals
def limits(slug: str, hourly: int | None, daily: int | None, as_json: bool) -> None:
    """Show a partner's limits and what was spent of them, or set them. A cut over a limit waits; a restore never does.

    Example:  relight partner limits fjordnett --cuts-per-hour 20 --cuts-per-day 100
    """
    with database() as db:
        id_, now = partner_id(db, slug), db.clock()
        with db.transaction(id_) as tx:
            _set(tx, hourly, daily)
            an_hour, a_day = tx.row(_LIMITS, {"partner": id_}) or (0, 0)
            last_hour, last_day = tx.row(RELEASE.cuts_spent, {"now": now}) or (0, 0)
            drivers, under_way = rests.states(tx), rests.in_flight(tx)
    lines = [f"Cuts: {last_hour} of {an_hour} in the last hour, {last_day} of {a_day} in the last day."]
    lines += [f"{kind} by {name}: {count} under way" for kind, name, count in under_way]
    lines += [
        f"{one.kind} by {one.name}: {one.failures} failures in a row since {one.since:%Y-%m-%d %H:%M} ({one.code})"
        + (f", rests until {one.rest_until:%H:%M:%S} UTC" if one.rest_until is not None else "")
        for one in drivers
    ]
    told = {
        "cuts": {"per_hour": an_hour, "per_day": a_day, "last_hour": last_hour, "last_day": last_day},
        "in_flight": [{"kind": kind, "driver": name, "count": count} for kind, name, count in under_way],
        "drivers": [
            {"kind": one.kind, "driver": one.name, "state": one.state, "failures": one.failures,
             "rest_until": one.rest_until, "code": one.code}
            for one in drivers
        ],
    }  # fmt: skip
    answer(told, as_json=as_json, text="\n".join(lines))


def _set(tx: Tx, hourly: int | None, daily: int | None) -> None:
    if hourly is None and daily is None:
        return
    new = {"hourly": hourly, "daily": daily, "partner": tx.partner_id}
    tx.run(
        "UPDATE partner SET cuts_per_hour = coalesce(%(hourly)s, cuts_per_hour),"
        " cuts_per_day = coalesce(%(daily)s, cuts_per_day) WHERE id = %(partner)s",
        new,
    )


def register(group: click.Group) -> None:
    """Add the command to `relight partner`."""
    group.add_command(limits)
