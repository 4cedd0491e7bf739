"""Fees that an account was charged before come back as facts, by their names, while they stand."""

from datetime import datetime

from relight.core.facts import ChargedFacts
from relight.flow.claims import fees
from relight.flow.database import Database, Tx
from relight.flow.road.gather import gather
from tests.flow.factories import make_claim
from tests.flow.paying import Debtor, make_debtor, with_policy

COST = 40_00


def charged(tx: Tx, debtor: Debtor, now: datetime) -> tuple[ChargedFacts, ...]:
    (found,) = gather(tx, [debtor.case_id], now)[1]
    return found.facts.charged


def test_a_fee_on_a_bill_that_this_case_never_noticed_was_charged_elsewhere_until_it_is_taken_back(
    db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now)
        earlier = make_claim(tx, debtor.account, now, number="F-earlier")
        fees.post(tx, [(earlier, COST, "collection_cost")], now)

        standing = charged(tx, debtor, now)
        fees.reverse(tx, [tx.value("SELECT id FROM transfer WHERE kind = 'fee'")], now=now)

        assert standing == (ChargedFacts("collection_cost", "F-earlier", now.date(), COST, elsewhere=True),)
        assert charged(tx, debtor, now) == ()
