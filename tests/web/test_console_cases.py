"""The list of cases: found by what a caller says, narrowed, sorted, paged, and remembered."""

import re
from datetime import datetime

import pytest

from relight.flow.database import Database
from tests.flow import factories
from tests.web import console_sample
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import Seen, SignIn


def customers(seen: Seen) -> list[str]:
    return re.findall(r'<a class="cover"[^>]*>([^<]+)</a>', seen.html)


def figure(seen: Seen, choice: str) -> str:
    found = re.search(rf">{choice} <span class=\"n\">([^<]+)</span>", seen.html)
    assert found, f"no choice is called {choice}"
    return found[1]


def test_open_cases_are_listed_the_largest_first(seat: SignIn, portfolio: Portfolio) -> None:
    seen = seat("reader").opens("cases/", q="")

    assert customers(seen) == ["Amina Yusuf", "Kari Nordmann", "Ola Hansen", "Per Pettersen Elektro AS"]
    assert seen.has("4 saker", "4 123,00 kr", "Bare betalingsside")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "closed"}, ["Lars Lunde"]),
        ({"state": "watching"}, ["Per Pettersen Elektro AS"]),
        ({"held": "1"}, ["Amina Yusuf"]),
        ({"tasks": "1"}, ["Amina Yusuf", "Kari Nordmann", "Ola Hansen"]),
        ({"level": "walled_garden"}, ["Kari Nordmann"]),
        ({"step": "reminder"}, ["Amina Yusuf"]),
        ({"step": "-"}, ["Per Pettersen Elektro AS"]),
        ({"waits": "approval"}, ["Kari Nordmann"]),
        ({"least": "1 000"}, ["Amina Yusuf"]),
        ({"most": "899,00"}, ["Kari Nordmann", "Ola Hansen", "Per Pettersen Elektro AS"]),
        ({"held": "1", "waits": "approval"}, []),
        ({"state": "nonsense", "level": "x", "least": "many", "page": "-1"}, 4),
    ],
    ids=str,
)
def test_filters_narrow(seat: SignIn, portfolio: Portfolio, query: dict[str, str], found: list[str] | int) -> None:
    seen = seat("reader").opens("cases/", **query)

    assert (len(customers(seen)) if isinstance(found, int) else customers(seen)) == found


def test_each_choice_tells_how_many_it_would_show(seat: SignIn, portfolio: Portfolio) -> None:
    reader = seat("reader")

    narrowed = reader.opens("cases/", held="1")

    assert (figure(narrowed, "Åpne"), figure(narrowed, "Følges"), figure(narrowed, "Har oppgave")) == ("1", "0", "1")
    assert figure(reader.opens("cases/", q=""), "Avsluttet") == "1"


@pytest.mark.parametrize("typed", ["amina", "Yusuf amina", "  AMINA  y ", "min"])
def test_a_name_is_found_by_any_part_of_each_word(seat: SignIn, portfolio: Portfolio, typed: str) -> None:
    assert customers(seat("reader").opens("cases/", q=typed)) == ["Amina Yusuf"]


@pytest.mark.parametrize("typed", ["912 34 567", "+47 91234567", "004791234567", "91234567", "petra@kunde.example"])
def test_a_caller_is_found_by_number_or_address(
    seat: SignIn, db: Database, partner: int, now: datetime, typed: str
) -> None:
    with db.transaction(partner) as tx:
        contacts = {"sms": "+4791234567", "email": "petra@kunde.example"}
        account = factories.make_account(tx, now, name="Petra Dahl", contacts=contacts)
        console_sample.add_case(tx, account, now, policy=console_sample.add_policy(tx, now))

    assert customers(seat("reader").opens("cases/", q=typed)) == ["Petra Dahl"]


def test_invoice_reference_and_account_are_found_by_what_stands_on_the_bill(
    seat: SignIn, db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        account = factories.make_account(tx, now, name="Petra Dahl", ref="KNR-778899")
        factories.make_claim(tx, account, now, number="INV-2026-44", reference="00998877665")
        console_sample.add_case(tx, account, now, policy=console_sample.add_policy(tx, now))
    reader = seat("reader")

    for typed in ("INV-2026-4", "00998877665", "KNR-778"):
        assert customers(reader.opens("cases/", q=typed)) == ["Petra Dahl"], typed


@pytest.mark.parametrize("typed", ["%", "_", "\\", "'; DROP TABLE claim; --", "\x00", "<script>alert(1)</script>"])
def test_odd_characters_are_only_characters(seat: SignIn, portfolio: Portfolio, typed: str) -> None:
    seen = seat("reader").opens("cases/", q=typed)

    assert seen.status == 200
    assert "<script>alert" not in seen.html
    if typed.strip("\x00"):
        assert customers(seen) == []


def test_what_is_searched_for_among_closed_cases_is_pointed_out(seat: SignIn, portfolio: Portfolio) -> None:
    reader = seat("reader")

    nothing = reader.opens("cases/", q="Lunde")

    assert nothing.has("Ingen saker passer", "1 avsluttet sak passer")
    closed = next(one for one in nothing.links("state=closed") if "q=Lunde" in one)
    assert customers(Seen(reader.browser.get(f"/console/cases/{closed}"))) == ["Lars Lunde"]


def test_filters_are_remembered_until_they_are_reset(seat: SignIn, portfolio: Portfolio) -> None:
    reader = seat("reader")
    reader.opens("cases/", held="1", sort="account")

    back = reader.opens("cases/")
    reset = reader.opens("cases/", q="")

    assert back.response.url.query == b"held=1&sort=account"
    assert customers(back) == ["Amina Yusuf"]
    assert len(customers(reset)) == 4
    assert len(customers(reader.opens("cases/"))) == 4


def test_columns_sort_both_ways(seat: SignIn, portfolio: Portfolio) -> None:
    reader = seat("reader")

    least_first = reader.opens("cases/", sort="overdue")

    assert customers(least_first)[-1] == "Amina Yusuf"
    assert least_first.has('aria-sort="ascending"')
    assert customers(reader.opens("cases/", sort="next"))[0] == "Kari Nordmann"
    assert customers(reader.opens("cases/", sort="-next"))[0] == "Per Pettersen Elektro AS"


def test_pages_hold_fifty_and_lead_on(seat: SignIn, db: Database, partner: int, now: datetime) -> None:
    console_sample.fill(db, partner, now, more=60)
    reader = seat("reader")

    first = reader.opens("cases/", q="")
    second = reader.opens("cases/", page="2")
    beyond = reader.opens("cases/", page="900")

    assert (first.rows, second.rows, beyond.rows) == (50, 14, 14)
    assert first.has("Side 1 av 2")
    assert beyond.has("Side 2 av 2")
    assert set(customers(second)) == set(customers(beyond))
    assert not set(re.findall(r'id="case-\d+"', first.html)) & set(re.findall(r'id="case-\d+"', second.html))


def test_a_region_that_shows_what_is_still_true_is_not_sent_again(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, now: datetime
) -> None:
    reader = seat("reader")
    page = reader.opens("cases/", q="")
    seen = re.search(r"X-Seen&quot;: &quot;(\w[^&]*)&quot;|\"X-Seen\": \"([^\"]+)\"", page.html)
    assert seen

    same = reader.asks("cases/?q=", target="live", X_Seen=seen[1] or seen[2])
    with db.transaction(partner) as tx:
        console_sample.plain_case(tx, now, console_sample.add_policy(tx, now), 3)
    renewed = reader.asks("cases/?q=", target="live", X_Seen=seen[1] or seen[2])

    assert (same.status, same.html) == (204, "")
    assert renewed.status == 200
    assert renewed.has("5 saker")
    assert "<html" not in renewed.html
