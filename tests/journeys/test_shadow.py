"""Shadow: decided on paper only. Who goes live begins anew; who was really cut and pays is given back all the same."""

from datetime import timedelta

from relight.flow.cases.operations import wake_all
from relight.flow.partners import stopping
from tests.flow.factories import Account
from tests.journeys.world import World

OWED = 89_900
WITH_A_FEE = (
    ("    after: 4 days", "    after: 14 days"),
    ("      - {message: reminder,", "      - {fee: reminder, amount: 35}\n      - {message: reminder,"),
)


def becomes(world: World, mode: str) -> None:
    with world.db.transaction(world.partner) as tx:
        stopping.set_mode(tx, mode)
    if mode == "live":
        wake_all(world.db, world.partner, lambda: world.moment)
    world.run()
    world.days(0.01)


def on_paper(world: World, step: str) -> tuple[Account, int]:
    """A customer in shadow, for whom a step was decided."""
    becomes(world, "shadow")
    account = world.customer()
    line = world.service(account)
    world.invoice(account, due=world.moment.date() - timedelta(days=1))
    come_to(world, account, step)
    world.days(2)
    return account, line


def come_to(world: World, account: Account, step: str) -> None:
    """Let time pass; what is withheld wakes its case at the same moment."""
    while step not in world.steps(account):
        for _ in range(4):
            world.run()
        due = world.next_due()
        assert due is not None, f"{step} was never taken: {world.log(account)}"
        world.moment = due


def test_notices_that_never_left_are_sent_before_anything_is_cut(world: World) -> None:
    account, line = on_paper(world, "reminder")
    assert world.messages(account) == []

    becomes(world, "live")
    assert world.steps(account)[-1:] == ["friendly"]
    come_to(world, account, "limit")
    world.run()

    told = [template for template, _ in world.messages(account)]
    assert told[:4] == ["friendly_reminder", "reminder", "disconnect_notice", "disconnect_notice"]
    assert world.observed(line) == "walled_garden"
    assert world.audited() == []


def test_a_limit_on_paper_is_lifted_without_a_command(world: World) -> None:
    _, line = on_paper(world, "limit")
    assert world.value("SELECT count(*) FROM block WHERE ends_at IS NULL") == 1

    becomes(world, "live")
    world.run()

    assert world.value("SELECT count(*) FROM block WHERE ends_at IS NULL") == 0
    assert world.commands(line) == [("walled_garden", "withheld")]
    assert world.value("SELECT desired FROM supply WHERE service_id = %(s)s", s=line) == "full"
    assert world.audited() == []


def test_a_limit_that_was_about_to_leave_does_not_leave_live(world: World) -> None:
    account, line = on_paper(world, "reminder")
    while "limit" not in world.steps(account):
        for _ in range(4):
            world.run()
        world.moment = world.next_due() or world.moment
        world.bank_was_heard(world.moment)
        world.decide()
    assert world.commands(line) == [("walled_garden", "pending")]

    with world.db.transaction(world.partner) as tx:
        stopping.set_mode(tx, "live")
    world.act(world.release())  # before the case has thought again

    assert world.commands(line) == [("walled_garden", "withheld")]
    assert world.value("SELECT why FROM effect WHERE kind = 'supply'") == "guard.unnoticed"


def test_a_letter_that_only_would_have_left_costs_nothing(world: World) -> None:
    world.policy("broadband-no", *WITH_A_FEE)
    account, _ = on_paper(world, "reminder")

    assert world.value("SELECT costs FROM claim WHERE account_id = %(a)s", a=account.id) == 0
    becomes(world, "live")
    assert world.value("SELECT costs FROM claim WHERE account_id = %(a)s", a=account.id) == 0


def test_who_was_cut_and_pays_while_the_partner_is_back_in_shadow_is_back(world: World) -> None:
    account = world.customer()
    line = world.service(account)
    world.invoice(account)
    world.until_asked(account)
    world.approve(account)
    world.until_step(account, "cut")
    world.run()
    assert world.observed(line) == "off"

    becomes(world, "shadow")
    world.pays(account, OWED)
    world.run()

    assert world.observed(line) == "full"
    assert "restored" not in [template for template, _ in world.messages(account)]
    world.days(1)
    assert world.state(account) == "closed"
    assert world.audited() == []


def test_who_pays_in_shadow_and_was_cut_on_paper_gets_no_command(world: World) -> None:
    account, line = on_paper(world, "limit")

    world.pays(account, OWED)
    world.days(1)

    assert world.commands(line) == [("walled_garden", "withheld")]
    assert world.state(account) == "closed"
