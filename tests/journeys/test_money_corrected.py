"""Money that went wrong is put right, and the case follows: restored where it was paid, reopened where it was not."""

from datetime import date

from relight.flow.books.periods import changes, close
from relight.flow.cases.people import Person
from relight.flow.claims.placing import Part
from relight.flow.payments import bank_refunds, matching
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.matching import Act
from relight.flow.payments.settle import settle
from relight.web.console.queries.case import SQL as CASE
from tests.flow import factories, ledger
from tests.flow.factories import Account
from tests.journeys.world import World

OWED = 79900
ANNE, BENTE = Person("anne", "agent"), Person("bente", "manager")


def comes(world: World, *, reference: str = "", payer: str = "", amount: int = OWED, ref: str = "") -> int:
    """Money in a bank's file; the payment's id."""
    row = factories.payment_row(amount, world.moment, reference=reference, ref=ref, state="booked")
    with world.db.transaction(world.partner) as tx:
        told = settle(tx, world.source, [row._replace(payer_name=payer)], now=world.moment)
    return told.received[0].payment_id


def limited(world: World) -> tuple[Account, int]:
    """A customer in the walled garden for a bill, and the service."""
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference=f"{account.id}00")
    world.until_step(account, "limit")
    world.run()
    assert world.observed(service) == "walled_garden"
    return account, service


def moved(world: World, payment: int, wrong: Account, right: Account) -> None:
    with world.db.transaction(world.partner) as tx:
        act = Act(payment, ANNE, world.moment, "typed the neighbour's number")
        matching.move(tx, act, from_account=wrong.id, parts=[Part(right.id, OWED)])
    world.run()


def adds_up(world: World) -> bool:
    with world.db.transaction(world.partner) as tx:
        return ledger.differences(tx) == []


def test_a_payment_that_a_person_assigns_gives_the_line_back_at_once(world: World) -> None:
    account, service = limited(world)
    payment = comes(world, payer="Mor Hansen")
    world.run()
    waiting = world.observed(service)

    with world.db.transaction(world.partner) as tx:
        matching.assign(tx, Act(payment, ANNE, world.moment), [Part(account.id, OWED)])
    world.run()

    assert waiting == "walled_garden"
    assert world.observed(service) == "full"
    assert world.state(account) == "closed"
    assert adds_up(world)


def test_a_payment_that_is_taken_away_again_is_followed_up_anew(world: World) -> None:
    account, _ = limited(world)
    payment = comes(world)
    with world.db.transaction(world.partner) as tx:
        matching.assign(tx, Act(payment, ANNE, world.moment), [Part(account.id, OWED)])
    world.run()
    closed = world.state(account)

    with world.db.transaction(world.partner) as tx:
        matching.take_away(tx, Act(payment, ANNE, world.moment, "another Kari"))
    world.run()

    states = world.rows("SELECT state FROM dunning_case WHERE account_id = %(a)s ORDER BY id", a=account.id)
    assert closed == "closed"
    assert [state for (state,) in states if state != "closed"] != []
    assert adds_up(world)


def test_a_booking_is_corrected_after_its_month_was_closed(world: World) -> None:
    wrong = world.customer()
    world.service(wrong)
    world.invoice(wrong, amount=OWED, reference="777")
    right, service = limited(world)
    payment = comes(world, reference="777")
    world.run()
    paid_in = world.moment.date()
    world.days(40)
    month = date(paid_in.year, paid_in.month, 1)
    with world.db.transaction(world.partner) as tx:
        for earlier in sorted({date(2026, number, 1) for number in range(3, month.month)} | {month}):
            close(tx, earlier, by=BENTE, now=world.moment)

    moved(world, payment, wrong, right)

    assert world.observed(service) == "full"
    assert world.value("SELECT principal FROM claim WHERE account_id = %(a)s", a=wrong.id) == OWED
    posted = world.rows(
        "SELECT DISTINCT value_date, posted_at FROM transfer WHERE payment_id = %(p)s AND kind = 'move'", p=payment
    )
    assert posted == [(paid_in, world.moment)]
    with world.db.transaction(world.partner) as tx:
        assert changes(tx) == []
    assert adds_up(world)


def test_a_payment_to_the_wrong_creditor_is_moved_to_the_right_one(world: World) -> None:
    world.owner.execute(
        "INSERT INTO creditor (partner_id, name, bank_account) VALUES (%s, 'Nordlys Fiber AS', '15032080127')",
        (world.partner,),
    )
    wrong = world.customer()
    world.service(wrong)
    world.invoice(wrong, amount=OWED, reference="777", creditor="Nordlys Fiber AS")
    right, service = limited(world)
    payment = comes(world, reference="777")
    world.run()

    moved(world, payment, wrong, right)

    assert world.observed(service) == "full"
    owed = world.rows(
        "SELECT r.name, sum(c.principal)::bigint FROM claim c JOIN creditor r ON r.id = c.creditor_id"
        " GROUP BY 1 ORDER BY 1"
    )
    assert owed == [("Nordlys Fiber AS", OWED), ("Nordlys Kraft AS", 0)]
    assert adds_up(world)


def test_an_overpayment_goes_back_and_the_case_stays_closed(world: World) -> None:
    account, service = limited(world)
    payment = comes(world, reference=f"{account.id}00", amount=OWED + 5000, payer="Kari Nordmann")
    world.run()
    with world.db.transaction(world.partner) as tx:
        wanted = Wanted(account.id, 5000, "Kari Nordmann", "NO9386011117947")
        refund = bank_refunds.ask(tx, Act(payment, ANNE, world.moment, "Du betalte for mye"), wanted)
    with world.db.transaction(world.partner) as tx:
        bank_refunds.decide(tx, refund, granted=True, by=BENTE, now=world.moment)

    with world.db.transaction(world.partner) as tx:
        ordered = bank_refunds.order(tx, now=world.moment)
    world.run()

    assert ordered is not None
    assert world.observed(service) == "full"
    assert world.state(account) == "closed"
    assert world.value("SELECT credit FROM account WHERE id = %(a)s", a=account.id) == 0
    assert b"50.00" in ordered[1]
    assert adds_up(world)


def receipts(world: World, account: Account) -> list[int]:
    """What each receipt of the account says was paid."""
    return [
        paid
        for (paid,) in world.rows(
            "SELECT (e.params ->> 'amount')::bigint FROM case_event e JOIN dunning_case c ON c.id = e.case_id"
            " JOIN effect f ON f.case_id = c.id AND f.event_number = e.number AND f.template = 'payment_received'"
            " WHERE c.account_id = %(a)s AND e.code = 'payment_seen' AND f.state = 'done' ORDER BY e.number",
            a=account.id,
        )
    ]


def test_one_payment_over_two_customers_bills_restores_both_and_each_gets_a_receipt_of_its_own_part(
    world: World,
) -> None:
    (kari, karis), (ola, olas) = limited(world), limited(world)
    payment = comes(world, payer="Mor Hansen", amount=2 * OWED)

    with world.db.transaction(world.partner) as tx:
        matching.assign(tx, Act(payment, ANNE, world.moment), [Part(kari.id, OWED), Part(ola.id, OWED)])
    world.run()

    assert [world.observed(service) for service in (karis, olas)] == ["full", "full"]
    assert [receipts(world, account) for account in (kari, ola)] == [[OWED], [OWED]]
    assert [world.state(account) for account in (kari, ola)] == ["closed", "closed"]
    for account in (kari, ola):
        with world.db.transaction(world.partner) as tx:
            shown = tx.rows(CASE.payments, {"account": account.id})
        assert [(row[0], row[1]) for row in shown] == [(payment, OWED)]
    assert adds_up(world)


def test_a_part_that_is_taken_away_before_anybody_was_told_gets_no_receipt(world: World) -> None:
    (kari, _), (ola, _) = limited(world), limited(world)
    payment = comes(world, amount=OWED)

    with world.db.transaction(world.partner) as tx:
        matching.assign(tx, Act(payment, ANNE, world.moment), [Part(kari.id, OWED)])
        matching.move(
            tx, Act(payment, ANNE, world.moment, "the other one"), from_account=kari.id, parts=[Part(ola.id, OWED)]
        )
    world.run()

    assert (receipts(world, kari), receipts(world, ola)) == ([], [OWED])
    with world.db.transaction(world.partner) as tx:
        assert [tx.rows(CASE.payments, {"account": one.id}) == [] for one in (kari, ola)] == [True, False]
