"""A trial under a cap goes on by itself: when a case ends, the next customer is followed up; nobody is forgotten."""

from datetime import timedelta

import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.people import operator
from relight.flow.road.publishing import publish_at_once
from tests.flow.factories import Account
from tests.journeys.processes import Workers, wait_for
from tests.journeys.world import World

OWED = 89900


def owing(world: World) -> Account:
    account = world.customer()
    world.service(account)
    world.invoice(account, due=world.moment.date() - timedelta(days=1), amount=OWED)
    return account


@pytest.fixture
def tried(world: World) -> World:
    """The policy takes one case at a time, with nothing before it."""
    world.owner.execute("UPDATE policy_version SET retired_at = published_at WHERE partner_id = %s", (world.partner,))
    text = packaged_text("broadband-no").replace("max_per_7_days: 5", "max_per_7_days: 4")
    with world.db.transaction(world.partner) as tx:
        assert publish_at_once(tx, text, by=operator("test"), now=world.moment, cap=1)
    return world


def test_the_next_customer_is_followed_up_when_the_first_has_paid(tried: World) -> None:
    first, second = owing(tried), owing(tried)
    tried.until_step(first, "friendly")
    while_full = tried.log(second)
    told = tried.value("SELECT count(*) FROM task WHERE code = 'policy_cap' AND state = 'open'")

    tried.pays(first, OWED)
    tried.until_step(second, "friendly")

    assert (while_full, told) == ([], 1)
    assert tried.state(first) == "closed"
    assert tried.value("SELECT count(*) FROM dunning_case WHERE state <> 'closed'") == 1


@pytest.mark.counterpart
def test_a_worker_lets_in_who_waited(tried: World, workers: Workers) -> None:
    first, second = owing(tried), owing(tried)
    tried.run()
    tried.pays(first, OWED)
    tried.decide()
    waited = tried.value("SELECT count(*) FROM dunning_case WHERE account_id = %(a)s", a=second.id)

    workers.start(at=tried.moment)
    wait_for(lambda: "opened" in tried.log(second), "the second case is followed up")

    assert waited == 0
    assert workers.complaints() == ""
