"""One real case told in every language to both readers, and why cuts were refused or held back, in plain words."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from relight.cli.timeline import lines
from relight.core.explain.entries import why_text
from relight.core.explain.words import LANGUAGES, READERS, Reader, texts
from relight.flow.cases.errors import UnableToFind
from relight.flow.claims.rows import LineRow
from relight.flow.road.explaining import Explanation, Known, explain, read_case
from tests.flow.factories import Account
from tests.journeys.world import World

GOLDEN = Path(__file__).parent / "explained"
OSLO = ZoneInfo("Europe/Oslo")


def known_of(world: World, account: Account) -> Known:
    with world.db.transaction(world.partner) as tx:
        case = tx.value("SELECT max(id) FROM dunning_case WHERE account_id = %(a)s", {"a": account.id})
        return read_case(tx, case, now=world.moment)


def printed(known: Known, reader: Reader, language: str) -> str:
    """As the command prints it, with the names that tests draw by lot made the same each time."""
    found = explain(known, reader, language)
    text = "\n".join(lines(found, known.speech(reader, found.language))) + "\n"
    return text.replace(f"{known.head.case_id}, Kari", "42, Kari").replace(known.head.account, "A7")


def broadband(world: World) -> Account:
    """Somebody with one unpaid bill for broadband."""
    account = world.customer(name="Kari Nordmann")
    world.service(account)
    world.invoice(account, amount=89900, number="F-1001")
    return account


def power(world: World, *, flag: str = "", value: str = "yes") -> Account:
    """Somebody with two unpaid bills for power, whom a person has tried to reach."""
    account = world.customer(name="Ola Hansen")
    world.service(account, kind="electricity_grid")
    for number in ("F-1", "F-2"):
        world.invoice(account, kind="electricity_grid", amount=200000, number=number)
    if flag:
        world.owner.execute("UPDATE flag SET value = %s WHERE account_id = %s AND name = %s", (value, account.id, flag))
    world.until_step(account, "contact")
    world.do_tasks(account, "contact_attempt")
    return account


def everything(found: Explanation) -> str:
    parts = [*found.lead, *found.next.lines, *found.help]
    parts += [why_text(why) for why in (*found.next.waits, *found.next.laws, *found.stops)]
    for told in found.told:
        parts += [told.text, *(why_text(why) for why in told.whys)]
    return "\n".join(parts)


def test_a_case_that_waits_for_a_persons_yes_is_told_in_every_language_to_both_readers(world: World) -> None:
    account = broadband(world)
    world.until_asked(account)
    known = known_of(world, account)

    told = {f"{language}.{reader}": printed(known, reader, language) for language in LANGUAGES for reader in READERS}

    for name, text in told.items():
        assert text == (GOLDEN / f"{name}.txt").read_text("utf-8"), name


def test_without_a_wanted_language_each_reader_gets_their_own(world: World) -> None:
    account = world.customer(name="Sanne de Vries", language="nl")
    world.invoice(account, amount=89900)
    known = known_of(world, account)

    agent, customer = explain(known, "agent"), explain(known, "customer")

    assert (agent.language, customer.language) == ("nb", "nl")


def test_the_step_that_is_said_to_come_comes_at_the_moment_that_was_said(world: World) -> None:
    account = broadband(world)
    world.until_step(account, "reminder")
    world.days(2)
    ahead = known_of(world, account).ahead
    assert ahead is not None
    assert ahead.step is not None
    assert ahead.at is not None

    world.until_step(account, "limit")

    assert ahead.step.name == "limit"
    assert world.moment == ahead.at


@pytest.mark.parametrize("value", ["yes", "unknown"])
def test_a_cut_that_the_law_refuses_is_explained_to_both_and_the_customer_hears_no_flag(
    world: World, value: str
) -> None:
    account = power(world, flag="danger_health", value=value)
    world.until_true(lambda: "refused" in world.log(account), "the cut is refused")
    known = known_of(world, account)

    for language in LANGUAGES:
        names = texts(language, "names")
        agent, customer = (everything(explain(known, reader, language)) for reader in READERS)
        assert names["flag.danger_health"] in agent
        assert "no.el.disconnect.danger" in agent
        assert "forbrukerkjøpsloven § 48 a" in customer
        for flag in ("danger_health", "danger_life", "severe_cold"):
            assert names[f"flag.{flag}"] not in customer, (language, flag)
            assert flag not in customer


def test_a_refused_cut_says_that_it_would_not_be_done_and_what_the_law_says(world: World) -> None:
    account = power(world, flag="danger_health")
    world.until_true(lambda: "refused" in world.log(account), "the cut is refused")
    known = known_of(world, account)

    found = explain(known, "customer", "en")

    assert found.next.denied
    assert [why_text(why) for why in found.next.waits] == [
        "We take special care in this case.",
        "The law protects you from this (forbrukerkjøpsloven § 48 a first paragraph a).",
    ]


def test_a_cut_that_a_complaint_overtook_is_explained_as_held_back(world: World) -> None:
    account = power(world)
    world.until_asked(account)
    world.approve(account)
    world.decide()
    world.hold(account, "complaint")
    world.run()
    known = known_of(world, account)

    agent, customer = (explain(known, reader, "en") for reader in READERS)

    withdrawn = [
        (told.text, [why.text for why in told.whys]) for told in agent.told if told.entry.code == "step_withdrawn"
    ]
    assert withdrawn == [("Cut was withdrawn", ["What was to go out was withheld: hold"])]
    assert "Our plan to cut off your electricity no longer counts." in [told.text for told in customer.told]
    assert [why.text for why in customer.next.waits] == ["Your case is on hold, because you have complained."]


def test_a_paid_case_says_that_nothing_more_comes(world: World) -> None:
    account = broadband(world)
    world.until_step(account, "limit")
    world.run()
    world.pays(account, 89900)
    world.run()
    known = known_of(world, account)

    found = explain(known, "customer", "en")

    assert found.next.lines == ("The case is closed. You need not do anything.",)
    assert found.stops == found.help == ()
    assert "Your broadband is back." in [told.text for told in found.told]


def test_what_is_said_to_stop_the_cut_stops_it(world: World) -> None:
    account = broadband(world)
    world.until_step(account, "reminder")
    world.days(2)
    known = known_of(world, account)
    least = next(stop for stop in known.stops if stop.code == "pay_part").params["amount"]

    world.pays(account, least)
    world.until_true(lambda: "refused" in world.log(account), "the limitation is refused")

    assert least == 89900 - 30000 + 1
    assert "condition.arrears" in world.codes(account)
    assert "limit" not in world.steps(account)


def test_a_policy_that_this_release_cannot_read_leaves_the_log_readable(world: World) -> None:
    account = broadband(world)
    world.until_step(account, "reminder")
    world.owner.execute(
        "WITH odd AS (INSERT INTO policy_version (partner_id, name, version, text, hash, services, debtor,"
        " published_at, retired_at) VALUES (%(p)s, 'of-another-release', 1, 'policy: {', repeat('b', 64),"
        " ARRAY['broadband'], 'consumer', %(now)s, %(now)s) RETURNING id)"
        " UPDATE dunning_case SET policy_version_id = odd.id FROM odd WHERE account_id = %(account)s",
        {"p": world.partner, "now": world.moment, "account": account.id},
    )
    known = known_of(world, account)

    found = explain(known, "agent", "en")

    assert found.next.lines == ("This release cannot read the policy, so what comes cannot be told here.",)
    assert len(found.told) > 3


def test_another_partners_case_cannot_be_explained(world: World, owner: object) -> None:
    account = broadband(world)
    world.run()
    case = known_of(world, account).head.case_id

    with world.db.transaction(world.partner + 1) as tx, pytest.raises(UnableToFind, match="no case"):
        read_case(tx, case, now=world.moment)


def test_of_two_services_only_the_unpaid_one_is_spoken_of(world: World) -> None:
    world.policy("broadband-no", ("service: [broadband]", "service: [broadband, tv]"))
    account = world.customer(name="Per Berg")
    world.service(account)
    world.service(account, kind="tv")
    world.invoice(account, amount=89900, lines=[LineRow(89900)])
    world.until_step(account, "reminder")
    world.run()

    known = known_of(world, account)
    customer, agent = everything(explain(known, "customer", "en")), everything(explain(known, "agent", "en"))

    assert "let you know that your broadband may be cut off" in customer
    assert "limit your broadband to" in customer
    assert "TV" not in customer
    assert "broadband is set to" in agent
