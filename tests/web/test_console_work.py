"""Work for people: tasks that are finished or put away, and approvals given several at once."""

from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from tests.flow import factories
from tests.web import console_sample
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import Seen, SignIn, Visitor


def state_of(db: Database, partner: int, task_code: str) -> tuple[str, str, str]:
    with db.transaction(partner) as tx:
        found = tx.row("SELECT state, done_by, note FROM task WHERE code = %(code)s", {"code": task_code})
    assert found
    return found


def finish_page(visitor: Visitor, seen: Seen, customer: str) -> Seen:
    row = next(one for one in seen.html.split("<tr>") if customer in one)
    address = row.split("/console/tasks/")[1].split("/")[0]
    return visitor.opens(f"tasks/{address}/")


def test_tasks_are_listed_urgent_first_with_whom_they_are_about(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("agent").opens("tasks/")

    names = [seen.html.index(name) for name in ("Amina Yusuf", "Ola Hansen", "Kari Nordmann")]
    assert names == sorted(names)
    assert seen.has("Haster", "Rett det som ikke lot seg gjøre", "Godkjenn neste steg: Stenging")


@pytest.mark.parametrize(
    ("query", "rows"),
    [({}, 3), ({"due": "urgent"}, 1), ({"due": "late"}, 0), ({"due": "week"}, 3), ({"code": "approve"}, 1),
     ({"code": "nothing"}, 0), ({"due": "nonsense", "page": "x"}, 3), ({"page": "99999999999"}, 0)],
    ids=str,
)  # fmt: skip
def test_tasks_are_narrowed_by_deadline_and_kind(
    seat: SignIn, portfolio: Portfolio, query: dict[str, str], rows: int
) -> None:
    seen = seat("agent").opens("tasks/", **query)

    assert seen.status == 200
    assert seen.rows == rows


def test_an_agent_finishes_a_task_and_the_case_keeps_it(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    agent = seat("agent")
    page = finish_page(agent, agent.opens("tasks/"), "Ola Hansen")

    seen = agent.fills(page, "tasks", note="Nytt nummer", state="done")

    assert seen.has("Oppgaven er gjort", "Oppgave utført: finn en måte å nå kunden på. Nytt nummer")
    state, done_by, note = state_of(db, partner, "cannot_reach")
    assert (state, note) == ("done", "Nytt nummer")
    assert done_by.startswith("agent-")


def test_a_task_that_is_not_needed_is_put_away(seat: SignIn, db: Database, partner: int, portfolio: Portfolio) -> None:
    agent = seat("agent")

    seen = agent.fills(finish_page(agent, agent.opens("tasks/"), "Ola Hansen"), "tasks", state="dismissed")

    assert seen.has("Oppgaven er lagt bort")
    assert state_of(db, partner, "cannot_reach")[0] == "dismissed"


def test_an_approval_is_not_finished_as_a_task(seat: SignIn, db: Database, partner: int, portfolio: Portfolio) -> None:
    agent = seat("agent")
    with db.transaction(partner) as tx:
        task = tx.value("SELECT id FROM task WHERE code = 'approve'")

    seen = agent.sends(f"tasks/{task}/", state="done")

    assert seen.path == f"/console/cases/{portfolio.kari}/"
    assert state_of(db, partner, "approve")[0] == "open"


def test_a_reader_finishes_nothing(seat: SignIn, db: Database, partner: int, portfolio: Portfolio) -> None:
    reader = seat("reader")
    with db.transaction(partner) as tx:
        task = tx.value("SELECT id FROM task WHERE code = 'cannot_reach'")

    seen = reader.sends(f"tasks/{task}/", state="done")

    assert seen.status == 403
    assert state_of(db, partner, "cannot_reach")[0] == "open"
    assert "data-act" not in reader.opens("tasks/").html


def test_a_task_without_a_case_is_finished_too(
    seat: SignIn, db: Database, partner: int, owner: psycopg.Connection, now: datetime
) -> None:
    owner.execute(
        "INSERT INTO task (partner_id, code, params, created_at, due_at, dedup)"
        " VALUES (%s, 'payment_unknown', '{\"amount\": 50000, \"currency\": \"NOK\"}', %s, %s, 'x')",
        (partner, now - timedelta(days=3), now - timedelta(days=1)),
    )
    agent = seat("agent")
    listed = agent.opens("tasks/")

    seen = agent.fills(finish_page(agent, listed, "Finn ut hvem en betaling er fra"), "tasks", state="done")

    assert listed.has("Over fristen", "500,00 kr")
    assert seen.path == "/console/tasks/"
    assert state_of(db, partner, "payment_unknown")[0] == "done"


def test_what_the_customer_wrote_stands_with_the_task_to_read_it(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, owner: psycopg.Connection, now: datetime
) -> None:
    message = owner.execute(
        "INSERT INTO received_message (partner_id, channel, sender, text, meaning, received_at, provider_id)"
        " VALUES (%s, 'sms', '+4790000001', 'Kan dere ringe meg?', 'unknown', %s, 'r9') RETURNING id",
        (partner, now),
    ).fetchone()
    assert message
    with db.transaction(partner) as tx:
        console_sample.add_task(tx, portfolio.per, now, "read_message", message=message[0])
    agent = seat("agent")

    listed = agent.opens("tasks/")

    assert listed.has("Kan dere ringe meg?")
    assert finish_page(agent, listed, "Kan dere ringe meg?").has("Kan dere ringe meg?")


# -- approvals, several at once


@pytest.fixture
def queue(db: Database, partner: int, portfolio: Portfolio, now: datetime) -> list[int]:
    """Three more cuts that wait for a yes; their case ids."""
    cases = []
    with db.transaction(partner) as tx:
        policy = console_sample.add_policy(tx, now)
        for name in ("Berit Moe", "Cato Vik", "Dina Lund"):
            account = factories.make_account(tx, now, name=name)
            claim = factories.make_claim(tx, account, now, amount=50000)
            case = console_sample.add_case(tx, account, now, policy=policy, arrears=50000, waits_for="approval")
            console_sample.ask_approval(tx, case, now, "cut", [claim])
            cases.append(case)
    return cases


def choose(seen: Seen, *names: str) -> list[str]:
    rows = [one for one in seen.html.split("<tr>") if any(name in one for name in names)]
    return [one.split('name="chosen" value="')[1].split('"')[0] for one in rows]


def approve(manager: Visitor, seen: Seen, chosen: list[str], **fields: str) -> Seen:
    token = seen.form("approve").fields["csrfmiddlewaretoken"]
    return Seen(
        manager.browser.post(
            "/console/approvals/approve/", data={"csrfmiddlewaretoken": token, "chosen": chosen, **fields}
        )
    )


def states(db: Database, partner: int, cases: list[int]) -> list[str]:
    with db.transaction(partner) as tx:
        found = dict(tx.rows("SELECT case_id, state FROM approval WHERE case_id = ANY(%(c)s)", {"c": cases}))
    return [found[case] for case in cases]


def test_several_are_approved_after_one_look_at_all_of_them(
    seat: SignIn, db: Database, partner: int, queue: list[int]
) -> None:
    manager = seat("manager")
    listed = manager.opens("approvals/")

    asked = approve(manager, listed, choose(listed, "Berit Moe", "Dina Lund"))
    before = states(db, partner, queue)
    done = approve(manager, asked, choose(listed, "Berit Moe", "Dina Lund"), sure="1", note="Gått gjennom")

    assert asked.has("Godkjenn 2 steg?", "Berit Moe", "Dina Lund", "500,00 kr")
    assert not asked.has("Cato Vik")
    assert before == ["requested"] * 3
    assert done.has("2 saker godkjent")
    assert states(db, partner, queue) == ["granted", "requested", "granted"]


def test_one_that_has_moved_is_left_and_the_others_are_approved(
    seat: SignIn, db: Database, partner: int, queue: list[int], now: datetime
) -> None:
    manager = seat("manager")
    listed = manager.opens("approvals/")
    with db.transaction(partner) as tx:
        console_sample.log(tx, queue[0], now, "note", {"text": "ringte"}, actor="ingrid")

    done = approve(manager, listed, choose(listed, "Berit Moe", "Cato Vik"), sure="1")

    assert done.has("Berit Moe: Saken har endret seg", "1 sak godkjent")
    assert states(db, partner, queue) == ["requested", "granted", "requested"]


def test_choosing_nothing_says_so(seat: SignIn, queue: list[int]) -> None:
    manager = seat("manager")

    assert approve(manager, manager.opens("approvals/"), []).has("Velg minst en sak først")
    assert approve(manager, manager.opens("approvals/"), ["x:y", "1", "99999999999999999999:1"]).has(
        "Velg minst en sak"
    )


def test_the_queue_shows_the_oldest_first_and_what_two_people_still_have_to_say(
    seat: SignIn, owner: psycopg.Connection, partner: int, queue: list[int]
) -> None:
    manager = seat("manager")
    owner.execute("UPDATE approval SET needs = 2 WHERE partner_id = %s", (partner,))
    listed = manager.opens("approvals/")

    once = approve(manager, listed, choose(listed, "Cato Vik"), sure="1")

    assert listed.html.index("Kari Nordmann") < listed.html.index("Berit Moe")
    assert once.has("1 av 2", "Du har sagt ja; en person til må godkjenne")
    assert once.has("0 av 2")


def test_an_agent_sees_the_queue_and_no_boxes(seat: SignIn, queue: list[int]) -> None:
    seen = seat("agent").opens("approvals/")

    assert seen.rows == 4
    assert 'name="chosen"' not in seen.html
