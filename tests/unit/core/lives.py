"""Whole lives for property tests: policies, what happens to a customer, and how the outside answers, all generated.

A life is a list of happenings with days between them; hypothesis makes it, shrinks it, and can tell it again.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from relight.core.facts import BlockFacts
from relight.core.levels import Level, lowest
from relight.core.policy import Policy
from relight.core.restore import RESTORE
from tests.unit.core.cases import NET, PHONE, at, policy, service
from tests.unit.core.history import Effect, History

BILLS = (20000, 79900, 149900)
FLAGS = ("no", "yes", "unknown")
HOLDS = ("manual", "plan", "dispute", "debt_help", "deceased")
ANSWERS = ("done", "done", "done", "again", "refused", "given_up")

FRIENDLY = """
  friendly:
    after: 1 day
    do: [{message: friendly_reminder, channel: best, tone: warm}]"""
NOTICE = """
  notice:
    after: %s
    do: [{message: disconnect_notice, channel: %s, term: 2 weeks}]"""
FEE = """
  fee:
    after: 1 week
    do: [{fee: reminder, amount: 35}, {message: reminder, channel: [email, sms]}]"""
LIMIT = """
  limit:
    after: 1 week
    when: {flags: {none: [life_support]}}
    do: [{supply: walled_garden}, {message: service_limited, channel: best}]"""
CUT = """
  cut:
    after: 3 working days
    window: {weekdays: [mon, tue, wed, thu], hours: [9, 14]}
    approval: %s
    do: [{supply: off}, {message: disconnected, channel: best}]"""
AGENCY = """
  agency:
    after: 2 weeks
    do: [{handover: agency}]
"""


def make_policy(first: bool, after: str, channel: str, fee: bool, limit: bool, approval: str, restore: str) -> Policy:
    """A policy that notices and cuts, with or without what may stand between."""
    steps = (FRIENDLY if first else "") + NOTICE % (after, channel) + (FEE if fee else "") + (LIMIT if limit else "")
    return policy(steps + CUT % approval + AGENCY, restore=restore)


policies: st.SearchStrategy[Policy] = st.builds(
    make_policy,
    st.booleans(),
    st.sampled_from(["1 day", "1 day", "5 working days"]),
    st.sampled_from(["best", "[sms, email, letter]", "{all: [sms, email]}"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["none", "person"]),
    st.sampled_from(["zero", "past_due", "latest_claim"]),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens after so many hours; `number` picks which of several, and how much."""

    after_hours: int
    what: str
    number: int


def _bill(life: History, number: int) -> None:
    id_ = max(life.claims, default=0) + 1 + len(life.payments)
    due = (life.now - at(0)).days + number % 20
    life.bill(id_, BILLS[number % 3], due=due, of=((NET,), (PHONE,), (NET, PHONE))[number % 3])


def _pay(life: History, number: int) -> None:
    if life.claims:
        ids = sorted(life.claims)
        life.pays(ids[number % len(ids)], None if number % 2 else 10000)


def _pay_all(life: History, number: int) -> None:
    for id_ in sorted(life.claims):
        life.pays(id_)
        life.claims.pop(id_, None)  # fees too


def _hold(life: History, number: int) -> None:
    life.holds_from_now(HOLDS[number % 5], days=1 + number % 9)


def _dispute(life: History, number: int) -> None:
    if life.claims:
        ids = sorted(life.claims)
        life.holds_from_now("dispute", days=1 + number % 9, claim_id=ids[number % len(ids)])


def _flag(life: History, number: int) -> None:
    life.case["flags"] = {"life_support": FLAGS[number % 3]}
    life.wake()


def _switch(life: History, number: int) -> None:
    life.partner = dataclasses.replace(life.partner, stopped=bool(number % 2))


def _feed(life: History, number: int) -> None:
    """The bank's file comes, or is the last for a while."""
    life.partner = dataclasses.replace(life.partner, money_complete_until=life.now if number % 2 else at(3650))


def _answer(life: History, number: int) -> None:
    life.approve(granted=bool(number % 4))


def _bounce(life: History, number: int) -> None:
    sent = [one for one in life.effects.values() if one.facts.kind == "message" and one.facts.state == "done"]
    if sent:
        life.bounces(sent[number % len(sent)].facts.id)


def _void(life: History, number: int) -> None:
    """A person takes a wrong step back."""
    taken = [step for step in life.steps.values() if step.step != RESTORE]
    if taken:
        life.voided[taken[-1].id] = life.steps.pop(taken[-1].id)
        life.wake()


def _fraud(life: History, number: int) -> None:
    """Somebody else blocks a service, or lifts that again; their own driver sees to it."""
    others = [id_ for id_, (_, block) in life.blocks.items() if block.reason == "fraud"]
    if others:
        service_id = life.blocks.pop(others[0])[0]
    else:
        service_id = (NET, PHONE)[number % 2]
        level = (Level.OFF, Level.LIMITED)[number % 2]
        block = BlockFacts(900_000 + number, "fraud", level, None, None, life.now)
        life.blocks[block.id] = (service_id, block)
    wanted = lowest([block.level for of, block in life.blocks.values() if of == service_id])
    found = life.services[service_id]
    life.services[service_id] = dataclasses.replace(
        found, desired=wanted, generation=found.generation + 1, observed=wanted, observed_at=life.now
    )
    life.wake()


HAPPENINGS: dict[str, Callable[[History, int], None]] = {
    "nothing": lambda life, number: None,
    "bill": _bill,
    "pay": _pay,
    "pay_all": _pay_all,
    "hold": _hold,
    "dispute": _dispute,
    "flag": _flag,
    "switch": _switch,
    "feed": _feed,
    "answer": _answer,
    "bounce": _bounce,
    "void": _void,
    "fraud": _fraud,
}
_OFTEN = ("nothing", "nothing", "nothing", "nothing", "bill", "pay")

happenings: st.SearchStrategy[list[Happening]] = st.lists(
    st.builds(
        Happening,
        st.sampled_from([0, 1, 7, 24, 31, 72, 170, 300]),
        st.sampled_from([*HAPPENINGS, *_OFTEN]),
        st.integers(0, 11),
    ),
    min_size=3,
    max_size=18,
)
beginnings: st.SearchStrategy[int] = st.sampled_from([0, 20, 32, 36, 45, 60])
answers: st.SearchStrategy[list[str]] = st.lists(st.sampled_from(ANSWERS), max_size=8)


def live(rules: Policy, story: list[Happening], said: list[str], *, profile: str = "", quiet_days: int = 0) -> History:
    """A life, told to its end: quiet days with a bill that nobody pays, then what happens. The outside answers as
    listed, and then well; a person says yes to what is asked, unless something else happened first."""
    left = list(said)

    def answer(effect: Effect) -> str:
        return left.pop(0) if left else "done"

    life = History(rules, answers=answer)
    life.case["profile"] = profile
    life.services = {NET: service(NET), PHONE: service(PHONE)}
    life.bill()
    _pass(life, timedelta(days=quiet_days))
    for one in story:
        _pass(life, timedelta(hours=one.after_hours))
        HAPPENINGS[one.what](life, one.number)
    _pass(life, timedelta(days=10))
    return life


def _pass(life: History, span: timedelta) -> None:
    """Let time pass; once a day somebody looks at what waits for a yes."""
    end = life.now + span
    while life.now < end:
        life.until(min(end, life.now + timedelta(days=1)))
        life.approve()
