"""Writing off and forgiving at the console: asked for on the case, answered among the approvals, by two people."""

import pytest

from relight.flow.books import acts
from relight.flow.database import Database
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import Seen, SignIn, Visitor


@pytest.fixture
def claim(db: Database, partner: int, portfolio: Portfolio) -> int:
    """Kari's open invoice."""
    with db.transaction(partner) as tx:
        return tx.value(
            "SELECT c.id FROM claim c JOIN dunning_case k ON k.account_id = c.account_id"
            " WHERE k.id = %(case)s AND c.state = 'open'",
            {"case": portfolio.kari},
        )


def asks(seat: SignIn, portfolio: Portfolio, claim: int, role: str = "agent", **typed: str) -> tuple[Visitor, Seen]:
    """Open the form from the case's page and send it."""
    visitor, at = seat(role), f"cases/{portfolio.kari}/claims/{claim}/money/"
    assert f"/console/{at}" in visitor.opens(f"cases/{portfolio.kari}/").html
    return visitor, visitor.fills(visitor.opens(at), at, **typed)


def states(db: Database, partner: int) -> list[tuple[str, str, int]]:
    with db.transaction(partner) as tx:
        return [(one.kind, one.state, one.amount) for one in acts.acts(tx)]


def test_an_agent_asks_and_a_manager_agrees(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, claim: int
) -> None:
    _, asked = asks(seat, portfolio, claim, kind="remission", amount="100,50", note="Hun har det trangt")
    manager = seat("manager")

    queue = manager.opens("approvals/")
    done = manager.fills(manager.opens(_answer(queue)), "money/", note="Enig")

    assert asked.has("En kollega er spurt")
    assert queue.has("Penger som venter på et ja", "Ettergivelse", "100,50 kr", "Hun har det trangt")
    assert done.has("Det er bokført")
    assert states(db, partner) == [("remission", "posted", 10050)]
    assert manager.opens(f"cases/{portfolio.kari}/").has("er ettergitt: Hun har det trangt")


def test_who_asked_is_not_offered_the_answer_and_may_not_give_it(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, claim: int
) -> None:
    manager, _ = asks(seat, portfolio, claim, role="manager", kind="write_off", note="ukjent adresse")
    with db.transaction(partner) as tx:
        act = acts.acts(tx)[0].id

    queue = manager.opens("approvals/")
    page = manager.opens(f"money/{act}/")
    sent = manager.fills(page, "money/")

    assert queue.has("ukjent adresse")
    assert f"/console/money/{act}/" not in queue.html
    assert sent.status == 409
    assert states(db, partner) == [("write_off", "requested", 89900)]


def test_a_no_changes_nothing(seat: SignIn, db: Database, partner: int, portfolio: Portfolio, claim: int) -> None:
    asks(seat, portfolio, claim, kind="write_off", note="ukjent adresse")
    manager = seat("manager")

    page = manager.opens(_answer(manager.opens("approvals/")) + "?answer=no")
    done = manager.fills(page, "money/", note="prøv igjen")

    assert done.has("Det er avslått")
    assert states(db, partner) == [("write_off", "refused", 89900)]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"note": ""}, "Skriv hvorfor"),
        ({"note": "x", "amount": "899,01"}, "Skriv et beløp som skyldes"),
        ({"note": "x", "amount": "mye"}, "Skriv et beløp som skyldes"),
    ],
)
def test_what_was_wrong_is_said_and_nothing_is_asked(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, claim: int, typed: dict[str, str], why: str
) -> None:
    _, back = asks(seat, portfolio, claim, **typed)

    assert back.status == 422
    assert back.has(why)
    assert states(db, partner) == []


def test_a_reader_asks_for_nothing_and_a_stranger_answers_nothing(
    seat: SignIn, other_partner: int, db: Database, partner: int, portfolio: Portfolio, claim: int
) -> None:
    asks(seat, portfolio, claim, kind="write_off", note="ukjent adresse")
    with db.transaction(partner) as tx:
        act = acts.acts(tx)[0].id

    assert seat("reader").opens(f"cases/{portfolio.kari}/claims/{claim}/money/").status == 403
    assert seat("agent").opens(f"money/{act}/").status == 403
    assert seat("manager", at=other_partner).opens(f"money/{act}/").status == 404


def _answer(queue: Seen) -> str:
    """The address of the first answer that the queue offers."""
    return queue.html.partition('href="/console/money/')[2].partition('"')[0].join(("money/", ""))
