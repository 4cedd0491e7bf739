"""A step's messages become due together; no more of them leave in seven days than the policy allows."""

from datetime import timedelta

import psycopg
from psycopg.conninfo import make_conninfo

from relight.audit.run import audit
from relight.core.policy_reader import packaged_text
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.road.publishing import publish_at_once
from tests.audit.story import START, Copy
from tests.flow.conftest import make_partner
from tests.journeys.world import World


def test_three_messages_are_due_at_once_and_only_one_may_still_go(copy: Copy) -> None:
    app_url, owner_url = (make_conninfo(url, dbname=copy.name) for url in (copy.story.app_url, copy.story.owner_url))
    with Database(app_url) as db, psycopg.connect(owner_url, autocommit=True) as owner:
        world = World(db, owner, make_partner(owner, START), START)
        with db.transaction(world.partner) as tx:
            text = packaged_text("broadband-no").replace("max_per_7_days: 5", "max_per_7_days: 2")
            publish_at_once(tx, text, by=operator("test"), now=START)
        account = world.customer()
        world.service(account)
        world.invoice(account)

        world.days(40)
        left = [row[0] for row in world.rows("SELECT released_at FROM sent_message ORDER BY released_at, id")]
        slug = str(world.value("SELECT slug FROM partner WHERE id = %(id)s", id=world.partner))
        report = audit(app_url, partner=slug, as_of=world.moment)
        world.close()

    assert len(left) == 4
    assert all(after - before >= timedelta(days=7) for before, after in zip(left, left[2:], strict=False))
    assert report.checked["I8"] == 4
    assert report.violations == []
