"""A step that was wrong is voided: its fee is taken back, and what was paid of it pays what else is owed."""

from datetime import timedelta

from relight.flow.cases.operations import void_step
from tests.journeys.world import World

OWED, FEE = 79_900, 3_500
WITH_A_FEE = (
    ("    after: 4 days", "    after: 14 days"),
    ("      - {message: reminder,", "      - {fee: reminder, amount: 35}\n      - {message: reminder,"),
)


def test_a_paid_fee_of_a_voided_step_pays_the_next_bill(world: World) -> None:
    world.policy("broadband-no", *WITH_A_FEE)
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "reminder")
    coming = world.invoice(account, amount=OWED)
    world.pays(account, OWED + FEE)
    charged = world.value("SELECT sum(amount) FROM transfer WHERE kind = 'fee'")

    with world.db.transaction(world.partner) as tx:
        case, number = tx.row("SELECT case_id, number FROM step_taken WHERE step = 'reminder'") or (0, 0)
        void_step(tx, case_id=case, step_number=number, actor="bente", now=world.moment, note="wrong address")

    assert charged == FEE
    assert world.value("SELECT principal FROM claim WHERE id = %(id)s", id=coming) == OWED - FEE
    assert world.value("SELECT credit FROM account WHERE id = %(id)s", id=account.id) == 0


def test_a_letter_that_did_not_leave_costs_nothing(world: World) -> None:
    world.policy("broadband-no", *WITH_A_FEE)
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "reminder")
    charged = world.value("SELECT sum(amount) FROM transfer WHERE kind = 'fee'")

    world.pays(account, OWED + FEE)
    world.days(6)

    assert charged == FEE
    assert "step_withdrawn" in world.log(account)
    assert "reminder" not in [template for template, _ in world.messages(account)]
    assert world.value("SELECT credit FROM account WHERE id = %(id)s", id=account.id) == FEE
    assert world.state(account) == "closed"


def test_a_cut_that_is_voided_before_it_left_leaves_the_garden_of_an_earlier_step(world: World) -> None:
    """Found by a history (seed 8820): nothing is given back, and the audit asked for a command."""
    world.policy("broadband-no")
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED)
    world.until_asked(account)
    world.approve(account)
    while world.decide() and "cut" not in world.steps(account):
        opens = world.next_due()
        assert opens is not None
        world.until(opens - timedelta(seconds=1))
        world.moment = opens
    case, number = world.rows("SELECT case_id, number FROM step_taken WHERE step = 'cut'")[0]
    world.moment += timedelta(seconds=1)

    with world.db.transaction(world.partner) as tx:
        void_step(tx, case_id=case, step_number=number, actor="bente", now=world.moment, note="wrong")
    world.run()
    world.days(1)

    assert "restore_decided" in world.log(account)
    assert world.observed(service) == "walled_garden"
    assert [level for level, _ in world.commands(service)] == ["walled_garden", "off"]
    assert world.audited() == []


def test_what_rested_on_a_voided_notice_goes_with_it(world: World) -> None:
    world.policy("broadband-no")
    account = world.customer()
    line = world.service(account)
    world.invoice(account, amount=OWED)
    world.until_asked(account)
    world.approve(account)
    world.until_step(account, "cut")
    world.run()
    assert world.observed(line) == "off"

    with world.db.transaction(world.partner) as tx:
        case, number = tx.row("SELECT case_id, number FROM step_taken WHERE step = 'reminder'") or (0, 0)
        void_step(tx, case_id=case, step_number=number, actor="bente", now=world.moment, note="wrong address")
    world.run()

    assert world.observed(line) == "full"
    standing = "SELECT array_agg(step ORDER BY number) FROM step_taken WHERE voided_at IS NULL"
    assert world.value(standing) == ["friendly", "restore"]
    assert world.log(account).count("step_voided") == 3
    assert world.audited() == []
