"""`relight stop` and `relight resume`: one switch that stops everything but restores and receipts; `relight live`."""

import click
import psycopg

from relight.cli.context import database, installation, partner_id, partner_option, refusals


@click.command()
@partner_option
@click.option("--all", "everybody", is_flag=True, help="Every partner of this installation.")
@click.option("--by", required=True, help="Who stops it, for the record.")
@refusals
def stop(partner_slug: str | None, everybody: bool, by: str) -> None:
    """Stop all warnings, fees and cuts at once. Restores, receipts and "you are back" go on.

    Example:  relight stop --all --by "Kari, on call"
    """
    _switch(partner_slug, everybody, by, stopped=True)
    click.echo("Stopped. Restores and receipts go on. `relight resume` lets the rest go on.")


@click.command()
@partner_option
@click.option("--all", "everybody", is_flag=True, help="Every partner of this installation.")
@click.option("--by", required=True, help="Who lets it go on, for the record.")
@refusals
def resume(partner_slug: str | None, everybody: bool, by: str) -> None:
    """Let go of `relight stop`.

    Example:  relight resume --all --by "Kari, on call"
    """
    _switch(partner_slug, everybody, by, stopped=False)
    click.echo("It goes on.")


@click.command()
@partner_option
@click.option("--shadow", is_flag=True, help="Back to shadow: decisions are made, nothing leaves.")
@click.confirmation_option(prompt="From now on messages and cuts really leave. Go on?")
@refusals
def live(partner_slug: str | None, shadow: bool) -> None:
    """Let a partner's effects leave; a new partner is in shadow until then.

    Example:  relight live --partner fjordnett
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            mode = "shadow" if shadow else "live"
            tx.run("UPDATE partner SET mode = %(mode)s WHERE id = %(id)s", {"mode": mode, "id": id_})
    click.echo("In shadow." if shadow else "Live.")


def _switch(slug: str | None, everybody: bool, by: str, *, stopped: bool) -> None:
    with database() as db:
        now = db.clock() if stopped else None
        if not everybody:
            id_ = partner_id(db, slug)
            with db.transaction(id_) as tx:
                tx.run(
                    "UPDATE partner SET stopped_at = %(now)s, stopped_by = %(by)s WHERE id = %(id)s",
                    {"now": now, "by": by, "id": id_},
                )
            return
    with psycopg.connect(installation().owner_url(), options="-c search_path=relight") as connection:
        connection.execute(
            "INSERT INTO installation (id, stopped_at, stopped_by) VALUES (1, %(now)s, %(by)s)"
            " ON CONFLICT (id) DO UPDATE SET stopped_at = excluded.stopped_at, stopped_by = excluded.stopped_by",
            {"now": now, "by": by},
        )
