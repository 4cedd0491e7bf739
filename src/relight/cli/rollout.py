"""`relight policy publish` and `share`: from a checked and simulated draft to all new cases, a share at a time."""

import sys
from functools import partial

import click

from relight.cli.actors import as_option, by_option, sure, who, yes_option
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import news
from relight.cli.policy_files import find_policy, policy_argument
from relight.cli.proofs import in_words
from relight.cli.stages import told
from relight.core.policy import Policy
from relight.core.simulate.portfolio import Spec
from relight.flow.cases.drafts import Stages, stages
from relight.flow.cases.people import Person
from relight.flow.cases.policies import is_in_force, version_before
from relight.flow.database import Database
from relight.flow.road.publishing import keep_check, keep_what_if, packs_of, publish
from relight.flow.road.rehearsal import START, rehearse
from relight.flow.road.rollout import let_all_in, share_out

MODEST = Spec(accounts=300, start=START, days=180, seed=1)


class Cap(click.ParamType):
    """A whole number of cases, or `none`."""

    name = "CASES"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """0 stands for none."""
        if value == "none":
            return 0
        if isinstance(value, str) and value.isascii() and value.isdigit() and 0 < int(value) < 1 << 31:
            return int(value)
        return self.fail(f"{value!r} is no number of cases; write 500, or none", param, ctx)


cap_option = click.option("--cap", type=Cap(), help="At most so many cases run under it at a time; or none.")


@click.command("publish")
@policy_argument
@partner_option
@as_option
@by_option
@click.option("--priority", default=0, show_default=True, help="The highest wins where two are for the same customers.")
@click.option("--share", default=100, show_default=True, type=click.IntRange(1, 100), help="So many of 100 new cases.")
@cap_option
@yes_option
@refusals
def publish_(
    file: str,
    partner_slug: str | None,
    as_user: str | None,
    by: str,
    priority: int,
    share: int,
    cap: int | None,
    yes: bool,
) -> None:
    """Publish a policy for new cases: checked, simulated, shown and confirmed. Running cases stay where they are.

    What was not checked or simulated yet is, on 300 made-up customers. To use more, or your own, first:
    relight policy simulate FILE --own --keep

    Example:  relight policy publish broadband-no --as bente --share 10
    """
    text, policy = find_policy(file)
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            person = who(tx, as_user, by)
            person.must("policy")
            known = is_in_force(tx, policy)
        if known:
            click.echo("This very policy is in force already.")
            return
        click.echo(told(policy, _prepared(db, id_, policy, text, person)))
        sure(f"Publish it for {share} of 100 new cases?", yes=yes)
        with db.transaction(id_) as tx:
            laid = publish(tx, text, by=person, now=db.clock(), priority=priority, share=share, cap=cap or None)
            before = version_before(tx, policy.name, laid.version) if laid else None
        if laid is None:
            click.echo("Somebody else has just published this very policy.")
            return
        click.echo(_published(policy.name, laid.version, share, before[0].version if before else None, partner_slug))
        _let_in(db, id_)


def _prepared(db: Database, id_: int, policy: Policy, text: str, person: Person) -> Stages:
    """How far the content has come, once what was missing has been done and put on record."""
    packs = packs_of(policy)
    with db.transaction(id_) as tx:
        come = stages(tx, policy, packs)
        proof = None if come.checked else keep_check(tx, text, by=person, now=db.clock())
    if proof is not None and not proof.ok:
        raise click.ClickException(in_words(policy, proof))
    if come.simulated is None:
        news(f"Simulating it on {MODEST.accounts} made-up customers over {MODEST.days} days…")
        what_if = rehearse(policy, text, MODEST)
        with db.transaction(id_) as tx:
            keep_what_if(tx, text, what_if, by=person, now=db.clock())
    with db.transaction(id_) as tx:
        return stages(tx, policy, packs)


@click.command()
@click.argument("name")
@click.argument("percent", type=click.IntRange(0, 100))
@partner_option
@as_option
@by_option
@cap_option
@refusals
def share(name: str, percent: int, partner_slug: str | None, as_user: str | None, by: str, cap: int | None) -> None:
    """Give the newest version of a policy more, or fewer, of the new cases. At 100 older versions are retired.

    Below 100 the last version that had all gets the others, taken up again if it was retired; at 0 it gets all.

    Example:  relight policy share broadband-no 50 --as bente
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            person, now = who(tx, as_user, by), db.clock()
            done = share_out(tx, name, percent, by=person, now=now, cap=cap or None, keep_cap=cap is None)
        limit = f", at most {done.cap:,} running at a time" if done.cap and percent else ""
        click.echo(
            f"{name} version {done.version} gets {percent} of 100 new cases{limit}.{_others(percent, done.rest)}"
        )
        _let_in(db, id_)


def _published(name: str, version: int, share: int, rest: int | None, slug: str | None) -> str:
    if share == 100:
        return f"Published: {name} version {version}, for all new cases."
    at = f" --partner {slug}" if slug else ""
    return (
        f"Published: {name} version {version}, for {share} of 100 new cases.{_others(share, rest)}"
        f" When it does well: relight policy share {name} 100{at}"
    )


def _others(share: int, rest: int | None) -> str:
    if share == 100:
        return ""
    if rest is None:
        return f" No version before gets the others: {100 - share} of 100 are not followed up by it."
    return f" Version {rest} gets {'all' if share == 0 else 'the others'}."


def _let_in(db: Database, id_: int) -> None:
    """Customers in arrears who had no version to come under, or found it full, come in now: a batch a transaction."""
    total = let_all_in(partial(db.transaction, id_), db.clock(), most=sys.maxsize)
    if total:
        who_is = "1 customer with open bills had no case yet, and is" if total == 1 else ""
        who_are = f"{total:,} customers with open bills had no case yet, and are"
        click.echo(f"{who_is or who_are} followed up from now on.")


def register(group: click.Group) -> None:
    """Add the commands to `relight policy`."""
    for command in (publish_, share):
        group.add_command(command)
