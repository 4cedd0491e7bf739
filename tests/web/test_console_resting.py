"""A driver that rests after failures is told at the top of every page, and in the figures that are scraped."""

from datetime import timedelta

import psycopg

from relight.flow.database import Database
from relight.flow.watch.pulse import FIGURES, SQL
from tests.web.console_visitor import SignIn


def test_a_resting_driver_is_told_until_it_works_again(
    seat: SignIn, owner: psycopg.Connection, db: Database, partner: int
) -> None:
    now = db.clock()
    owner.execute(
        "INSERT INTO driver_rest (partner_id, kind, name, state, failures, rests, rest_until, since)"
        " VALUES (%s, 'message', 'sms', 'resting', 12, 2, %s, %s)",
        (partner, now + timedelta(minutes=1), now),
    )
    agent = seat("agent")

    during = agent.opens("tasks/")
    with db.transaction(partner) as tx:
        rows = tx.rows(SQL.pulse, {"partner": partner, "now": now})
    owner.execute("UPDATE driver_rest SET state = 'open', failures = 0 WHERE partner_id = %s", (partner,))
    after = agent.opens("tasks/")

    assert during.has("«sms» har sviktet 12 ganger på rad", "gjenåpninger gjør det ikke")
    assert "har sviktet" not in after.html
    figures = {figure: value for figure, labels, value in rows if labels == ["message", "sms"]}
    assert figures == {"driver_failures": 12, "driver_rests": 1}
    assert set(figures) <= set(FIGURES)
