"""What tests of `decide` arrange, in a line each: policies, claims, services, steps, and a case around them.

Days are counted from `START`, a Monday; moments stand at ten in the morning in Oslo unless said.
"""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from relight.core.calendars import calendar_for
from relight.core.facts import (
    BlockFacts,
    CaseFacts,
    ClaimFacts,
    EffectFacts,
    HoldFacts,
    PartnerFacts,
    PaymentFacts,
    ServiceFacts,
    ServiceShare,
    StepClaimFacts,
    StepFacts,
)
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy

START = date(2026, 3, 2)  # a Monday; Easter is a month away
NET, PHONE = 1, 2  # services
CASE, ACCOUNT = 7, 70
OSLO = ZoneInfo("Europe/Oslo")

ROAD = """
  friendly:
    after: 1 day
    do: [{message: friendly_reminder, channel: best, tone: warm}]
  notice:
    after: 4 days
    do: [{message: disconnect_notice, channel: {all: [sms, email]}}]
  limit:
    after: 2 weeks
    when: {arrears: {min: 300}, flags: {none: [life_support]}}
    do: [{supply: walled_garden}, {message: service_limited, channel: best}]
  cut:
    after: 1 working day
    window: {weekdays: [mon, tue, wed, thu], hours: [9, 14]}
    approval: person
    do: [{supply: off}, {message: disconnected, channel: best}]
  agency:
    after: 60 days
    do: [{handover: agency}]
"""

SHORT_ROAD = """
  notice:
    after: 1 day
    do: [{message: disconnect_notice, channel: [sms, email, letter], term: 2 weeks}]
  cut:
    after: 2 weeks
    do: [{supply: off}, {message: disconnected, channel: best}]
"""


@cache
def policy(steps: str = ROAD, *, restore: str = "zero", close: str = "zero", more: str = "") -> Policy:
    """A policy over broadband and telephony; `more` are further top-level lines."""
    text = f"""
policy: sample
for: {{country: NO, service: [broadband, telephony], debtor: consumer, actor: network}}
opens: {{overdue: 1 day, arrears: {{min: 100}}}}
restore_when: {restore}
close_when: {close}
contact: {{weekdays: [mon, tue, wed, thu, fri], hours: [9, 20], max_per_7_days: 5}}
settle: 3 working days
gap: 3 days
profiles: {{vip: {{skip: [limit, cut]}}, careful: {{delay: 1 week}}, standing: {{}}}}
{more}
steps:{steps}
"""
    if "  limit:" not in steps:
        text = text.replace("skip: [limit, cut]", "skip: [cut]")
    read = read_policy(text)
    assert isinstance(read, Policy), str(read)
    return read


def day(number: int) -> date:
    """A day by its number from `START`."""
    return START + timedelta(days=number)


def at(number: int, hour: int = 10, minute: int = 0) -> datetime:
    """A moment on a day, by the clocks of Oslo."""
    wall = datetime(START.year, START.month, START.day, hour, minute) + timedelta(days=number)  # noqa: DTZ001
    return wall.replace(tzinfo=OSLO).astimezone(UTC)


PARTNER = PartnerFacts(
    id=1,
    country="NO",
    currency="NOK",
    zone=OSLO,
    calendar=calendar_for("NO"),
    closed_dates=frozenset(),
    money_complete_until=at(3650),
    money_stale_after_hours=48,
    stopped=False,
    shadow=False,
)


def partner(**changed: Any) -> PartnerFacts:
    """A live partner whose money data is fresh."""
    return dataclasses.replace(PARTNER, **changed)


def claim(
    id_: int = 1, principal: int = 79900, *, due: int = 0, costs: int = 0, disputed: int = 0, of: Sequence[int] = (NET,)
) -> ClaimFacts:
    """A claim due on day `due`, for the services in `of`."""
    shares = tuple(ServiceShare(service_id, principal) for service_id in of)
    return ClaimFacts(id_, f"F{id_}", principal, costs, disputed, day(due), shares)


def service(id_: int = NET, **changed: Any) -> ServiceFacts:
    """A service that is on, and was seen so."""
    on = ServiceFacts(
        id=id_,
        kind="broadband" if id_ == NET else "telephony",
        desired=Level.FULL,
        generation=0,
        desired_at=None,
        observed=Level.FULL,
        observed_at=at(-30),
        controllable=True,
    )
    return dataclasses.replace(on, **changed)


def cut_service(id_: int = NET, *, number: int = 3, level: Level = Level.OFF, **changed: Any) -> ServiceFacts:
    """A service that step `number` has cut, and that was seen so."""
    state: dict[str, Any] = {
        "desired": level,
        "generation": 1,
        "desired_at": at(20),
        "observed": level,
        "blocks": (block(number=number, level=level),),
    }
    return service(id_, **{**state, **changed})


def block(
    id_: int = 1, *, reason: str = "arrears", level: Level = Level.OFF, number: int | None = 3, case: int | None = CASE
) -> BlockFacts:
    """A block; ours unless the reason is another one."""
    if reason != "arrears":
        number = case = None
    return BlockFacts(id_, reason, level, case, number, at(20))


def step(
    name: str,
    number: int,
    decided: int,
    *,
    of: Sequence[int] = (1,),
    done: int | None = None,
    pay_by: int | None = None,
    effects: tuple[EffectFacts, ...] = (),
    completed: bool = True,
    **more: Any,
) -> StepFacts:
    """A step that was taken on day `decided` for the claims in `of`, and completed on the same day unless said."""
    covered = tuple(StepClaimFacts(claim_id, 79900, 0) for claim_id in of)
    finished = at(decided if done is None else done) if completed else None
    pay_by_date = day(pay_by) if pay_by is not None else None
    return StepFacts(number, number, name, at(decided), finished, pay_by_date, covered, effects, **more)


def message(
    id_: int = 1, *, channel: str = "sms", state: str = "done", part: int = 0, decided: int = 0, **more: Any
) -> EffectFacts:
    """A message of a step."""
    finished = at(decided) if state == "done" else None
    return EffectFacts(id_, part, "message", channel, state, at(decided), finished_at=finished, **more)


def command(
    id_: int = 50, *, state: str = "done", service_id: int = NET, generation: int = 1, **more: Any
) -> EffectFacts:
    """A command of a step."""
    finished = more.pop("finished_at", at(20))
    return EffectFacts(
        id_, 0, "supply", "", state, at(20), finished_at=finished, service_id=service_id, generation=generation, **more
    )


def hold(
    reason: str = "manual", *, claim_id: int | None = None, starts: int = 0, ends: int | None = None, **more: Any
) -> HoldFacts:
    """A hold on the whole case, or on a claim, or on a service."""
    ends_at = at(ends, 0) if ends is not None else None
    return HoldFacts(
        more.pop("id", 1),
        reason,
        claim_id,
        more.pop("service_id", None),
        more.pop("amount", None),
        at(starts),
        ends_at,
        protective=False,
    )


def payment(
    id_: int = 1, amount: int = 79900, *, state: str = "confirmed", received: int = 0, noted: bool = False
) -> PaymentFacts:
    """A payment."""
    return PaymentFacts(id_, amount, state, at(received), noted)


def case(**changed: Any) -> CaseFacts:
    """An active case: one broadband bill, due on day 0, of a customer whom SMS and e-mail reach."""
    facts: dict[str, Any] = {
        "case_id": CASE,
        "account_id": ACCOUNT,
        "state": "active",
        "version": 10,
        "debtor": "consumer",
        "profile": "",
        "credit": 0,
        "partner": PARTNER,
        "claims": (claim(),),
        "services": (service(),),
        "flags": {"life_support": "no"},
        "reach": frozenset({"sms", "email"}),
    }
    return CaseFacts(**{**facts, **changed})


def noticed(*of: int, first: int = 2) -> tuple[StepFacts, ...]:
    """The two steps of `ROAD` that tell, complete, for these claims."""
    covered = of or (1,)
    return (step("friendly", 1, first, of=covered), step("notice", 2, first + 7, of=covered, pay_by=first + 21))
