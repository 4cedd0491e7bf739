"""The amount that may be charged and the guards of a step rest on the same rules, and never contradict one another."""

from datetime import date
from functools import cache
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from relight.core.calendars import calendar_for
from relight.core.fees.highest import Asked, Charged, Debt, highest_fee
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.rules.reader import packaged_pack
from tests.unit.core.cases import at, case, claim, day, partner, step

NAMES = {"no": ["reminder", "collection_warning"], "dk": ["reminder"], "se": ["reminder", "payment_demand"]}
CURRENCIES = {"no": "NOK", "dk": "DKK", "se": "SEK"}


class Before(NamedTuple):
    """A fee that was charged on a day for one claim."""

    fee: str
    day: int
    claim: int


@cache
def policy(country: str, fee: str, amount: int) -> Policy:
    """A policy that knows every fee of its country as a step, and charges one in the step `ask`."""
    steps = [f"  {name}: {{after: 1 day, do: [{{fee: {name}, amount: 1}}]}}\n" for name in NAMES[country]]
    asks = f"  ask: {{after: 1 day, do: [{{fee: {fee}, amount: {amount // 100}.{amount % 100:02}}}]}}\n"
    whom = f"{{country: {country.upper()!r}, service: [broadband], debtor: consumer, actor: network}}"
    read = read_policy(f"policy: sample\nfor: {whom}\nopens: {{overdue: 1 day}}\nsteps:\n{''.join(steps)}{asks}")
    assert isinstance(read, Policy), str(read)
    return read


def guards_pass(country: str, fee: str, amount: int, before: list[Before], today: int) -> bool:
    """Whether the guards let a step charge this for the first claim, after what was charged before."""
    own = policy(country, fee, amount)
    taken = tuple(step(one.fee, n, one.day, of=(one.claim,)) for n, one in enumerate(before, start=1))
    at_home = partner(country=country.upper(), currency=CURRENCIES[country], calendar=calendar_for(country.upper()))
    facts = case(claims=(claim(1), claim(2)), steps=taken, partner=at_home)
    return packaged_law().rule(own, own.step("ask"), (claim(1),), facts, at(today)) == ()


def highest(country: str, fee: str, before: list[Before], today: int) -> int:
    """The most that may be charged for the first claim."""
    charged = [Charged(one.fee, f"F{one.claim}", day(one.day), 100) for one in before]
    debt = Debt("F1", 79900, day(0), "consumer", "broadband")
    asked = Asked(fee, debt, day(today), calendar_for(country.upper()), charged)
    return highest_fee(packaged_pack(country), asked).amount


@st.composite
def questions(draw: st.DrawFn, *, claims: int) -> tuple[str, str, int, list[Before], int]:
    """A country, a fee and its amount, what was charged before for so many claims, and the day."""
    country = draw(st.sampled_from(sorted(NAMES)))
    names = st.sampled_from(NAMES[country])
    today = draw(st.integers(1, 60))
    days = sorted(draw(st.lists(st.integers(0, today), max_size=4)))
    before = [Before(draw(names), n, draw(st.integers(1, claims))) for n in days]
    return country, draw(names), draw(st.integers(1, 200_00)), before, today


@given(questions(claims=1))
def test_a_fee_passes_the_guards_exactly_when_it_is_no_more_than_the_highest(
    question: tuple[str, str, int, list[Before], int],
) -> None:
    country, fee, amount, before, today = question

    assert guards_pass(country, fee, amount, before, today) == (amount <= highest(country, fee, before, today))


@given(questions(claims=2))
def test_what_may_be_charged_beside_another_bills_fees_always_passes_the_guards(
    question: tuple[str, str, int, list[Before], int],
) -> None:
    country, fee, _, before, today = question

    most = highest(country, fee, before, today)

    assert not most or guards_pass(country, fee, most, before, today)


def test_the_questions_reach_both_answers() -> None:
    assert day(0) == date(2026, 3, 2)
    assert guards_pass("no", "reminder", 37_50, [], 14)
    assert not guards_pass("no", "reminder", 37_50, [], 13)
    assert not guards_pass("dk", "reminder", 100_01, [], 14)
    assert not guards_pass("dk", "reminder", 100_00, [Before("reminder", 5, 1)], 15)
    assert guards_pass("dk", "reminder", 100_00, [Before("reminder", 5, 1)], 16)
