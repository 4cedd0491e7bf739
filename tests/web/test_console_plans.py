"""Plans and promises at the desk: offered, agreed, seen part by part and ended, and refused in the reader's words."""

from datetime import datetime, timedelta

from relight.flow.cases import plans
from relight.flow.database import Database
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import SignIn
from tests.web.test_console_acts import log_of


def test_an_agent_agrees_on_a_plan_and_ends_it(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    agent = seat("agent")
    case = f"cases/{portfolio.kari}"

    agreed = agent.fills(agent.opens(f"{case}/plan/"), "plan", months="3", do="agree")
    with db.transaction(partner) as tx:
        found = plans.current(tx, portfolio.kari, now)
    assert found is not None
    ended = agent.fills(agent.opens(f"{case}/plans/{found.id}/end/"), "end", note="Betaler alt i morgen")

    assert agreed.has("Avtalen er inngått", "Avtalt og venter på første del")
    assert (found.state, found.months, found.source) == ("agreed", 3, "desk")
    assert ended.has("Avtalen er avsluttet.", "Betaler alt i morgen")
    assert [code for code, _ in log_of(db, partner, portfolio.kari)[-3:]] == [
        "plan_offered",
        "plan_agreed",
        "plan_ended",
    ]


def test_an_agent_lets_the_customer_choose(seat: SignIn, db: Database, partner: int, portfolio: Portfolio) -> None:
    agent = seat("agent")

    offered = agent.sends(f"cases/{portfolio.kari}/plan/", do="offer")

    assert offered.has("Avtalen er tilbudt.", "2 til 12 måneder")
    assert log_of(db, partner, portfolio.kari)[-1][0] == "plan_offered"


def test_a_plan_that_cannot_be_is_refused_in_the_readers_language(seat: SignIn, portfolio: Portfolio) -> None:
    agent = seat("agent")

    long = agent.sends(f"cases/{portfolio.kari}/plan/", months="99", do="agree")
    nonsense = agent.sends(f"cases/{portfolio.kari}/plan/", months="mange", do="agree")
    late = agent.sends(f"cases/{portfolio.kari}/plan/", months="3", first="2099-01-01", do="agree")

    assert long.has("fra 2 til 12 måneder")
    assert nonsense.has("Velg hvor mange måneder.")
    assert late.has("Den første delen skal forfalle mellom")


def test_an_agent_notes_a_promise_and_a_second_one_is_refused(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    agent = seat("agent")
    day = (now + timedelta(days=5)).date().isoformat()

    noted = agent.fills(agent.opens(f"cases/{portfolio.kari}/promise/"), "promise", day=day)
    again = agent.opens(f"cases/{portfolio.kari}/promise/")

    assert noted.has("Løftet er notert", "Lovet å betale")
    assert again.has("Ett om gangen")
    assert "promise_made" in [code for code, _ in log_of(db, partner, portfolio.kari)]


def test_a_reader_agrees_on_nothing(seat: SignIn, db: Database, partner: int, portfolio: Portfolio) -> None:
    reader = seat("reader")
    before = log_of(db, partner, portfolio.kari)

    refused = reader.sends(f"cases/{portfolio.kari}/plan/", months="3", do="agree")

    assert refused.status == 403
    assert log_of(db, partner, portfolio.kari) == before
