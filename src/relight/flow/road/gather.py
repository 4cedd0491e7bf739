"""Gathering: all that is known about a batch of cases, in a dozen statements, as frozen facts.

The accounts are locked by an earlier statement: facts read in the statement that locks can pair a new version with an
old balance (tried). Nothing here decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from relight.core.calendars import calendar_for
from relight.core.facts import (
    PERSONAL_HOLDS,
    AgencyFacts,
    ApprovalFacts,
    BlockFacts,
    CaseFacts,
    ChargedFacts,
    ClaimFacts,
    EffectFacts,
    HandoverFacts,
    HoldFacts,
    PartnerFacts,
    PaymentFacts,
    ServiceFacts,
    ServiceShare,
    StepClaimFacts,
    StepFacts,
    TaskFacts,
)
from relight.core.leave import UNCOUNTED_TEMPLATES
from relight.core.levels import Level
from relight.core.plans.facts import PauseFacts, PlanFacts
from relight.flow.cases.plans import paid_of, part_of
from relight.flow.database import Tx, statements

SQL = statements(__package__, "facts.sql")
_UNCOUNTED = sorted(UNCOUNTED_TEMPLATES)

_BY_FIRST = (
    "claims",
    "services",
    "blocks",
    "commands",
    "holds",
    "payments",
    "flags",
    "contacts",
    "charged",
    "steps",
    "approvals",
    "handovers",
    "plans",
    "pauses",
)
_QUESTIONS = (*_BY_FIRST, "effects", "step_tasks", "reach")

Row = tuple[Any, ...]
_LEVELS = {level.value: level for level in Level}
_NO_COMMANDS: Row = (0, (), False, False, True)
_NOBODY = frozenset[str]()
zone = cache(ZoneInfo)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A case's facts, and the policy version it is under."""

    facts: CaseFacts
    policy_version_id: int
    wakes_at: datetime | None
    services: tuple[str, ...]
    contacts: Mapping[int, datetime]  # by effect: when the account's messages left that count towards the cap


@dataclass(frozen=True, slots=True)
class PartnerTurn:
    """A partner's facts and limits for this turn."""

    facts: PartnerFacts
    cuts_per_hour: int
    cuts_per_day: int


def gather(tx: Tx, cases: Sequence[int], now: datetime) -> tuple[PartnerTurn, list[Gathered]]:
    """What all cases of the partner share this turn, and the facts of these cases, in the order of their ids."""
    partners, agencies, rows = tx.many(
        (SQL.partner, SQL.agencies, SQL.cases), {"partner": tx.partner_id, "cases": list(cases)}
    )
    turn = _partner_turn(partners[0], agencies)
    accounts = sorted({row[1] for row in rows})
    params = {
        "cases": list(cases),
        "accounts": accounts,
        "shadow": turn.facts.shadow,
        "now": now,
        "uncounted": _UNCOUNTED,
    }
    known = _Known(tx, params)
    contacts = known.contacts
    return turn, [
        Gathered(known.case(row, turn.facts), row[9], row[10], tuple(row[8]), contacts.get(row[1], {})) for row in rows
    ]


def _partner_turn(row: Row, agencies: list[Row]) -> PartnerTurn:
    (id_, country, currency, time_zone, closed, stale_hours, shadow, stopped, complete_until, hourly, daily) = row
    facts = PartnerFacts(
        id=id_,
        country=country,
        currency=currency,
        zone=zone(time_zone),
        calendar=calendar_for(country),
        closed_dates=frozenset(closed),
        money_complete_until=complete_until,
        money_stale_after_hours=stale_hours,
        stopped=stopped,
        shadow=shadow,
        agencies=tuple(AgencyFacts(*row) for row in agencies),
    )
    return PartnerTurn(facts, hourly, daily)


def _by_first(rows: Iterable[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped


class _Known:
    """One batch's rows, grouped by case or account, and the facts made from them."""

    def __init__(self, tx: Tx, params: dict[str, Any]):
        by_name = dict(zip(_QUESTIONS, tx.many([getattr(SQL, name) for name in _QUESTIONS], params), strict=True))
        read = {name: _by_first(by_name[name]) for name in _BY_FIRST}
        self.claims, self.services, self.holds = read["claims"], read["services"], read["holds"]
        self.blocks, self.commands = read["blocks"], {row[0]: row for row in by_name["commands"]}
        self.payments, self.flags = read["payments"], read["flags"]
        self.contacts = {account: {r[1]: r[2] for r in rows} for account, rows in read["contacts"].items()}
        self.charged = read["charged"]
        self.steps, self.approvals = read["steps"], read["approvals"]
        self.effects, self.tasks = _by_two(by_name["effects"]), _by_two(by_name["step_tasks"])
        self.reach = {row[0]: frozenset(row[1]) for row in by_name["reach"]}
        self.handovers, self.plans, self.pauses = read["handovers"], read["plans"], read["pauses"]

    def case(self, row: Row, partner: PartnerFacts) -> CaseFacts:
        case_id, account_id, state, version, debtor, profile, credit, waits_for, kinds = row[:9]
        holds, pauses = self.holds.get(account_id), self.pauses.get(account_id)
        handovers, plans, approvals = self.handovers.get(case_id), self.plans.get(case_id), self.approvals.get(case_id)
        contacts, flags = self.contacts.get(account_id), self.flags.get(account_id)
        return CaseFacts(
            case_id=case_id,
            account_id=account_id,
            state=state,
            version=version,
            debtor=debtor,
            profile=profile,
            credit=credit,
            sorry=row[11],
            partner=partner,
            waits_for=waits_for,
            claims=tuple([_claim(r) for r in self.claims.get(account_id, ()) if r[1] in kinds]),
            steps=tuple([self._step(case_id, r) for r in self.steps.get(case_id, ())]),
            services=tuple([self._service(r) for r in self.services.get(account_id, ()) if r[2] in kinds]),
            holds=_holds(holds, case_id) if holds else (),
            payments=self._payments(account_id),
            approvals=_approvals(approvals) if approvals else (),
            flags=_flags(flags) if flags else {},
            reach=self.reach.get(account_id, _NOBODY),
            contacted_at=tuple(contacts.values()) if contacts else (),
            charged=self._charged(case_id, account_id),
            handovers=tuple(map(_handover, handovers)) if handovers else (),
            plans=tuple(map(_plan, plans)) if plans else (),
            pauses=_pauses(pauses, case_id) if pauses else (),
        )

    def _charged(self, case_id: int, account_id: int) -> tuple[ChargedFacts, ...]:
        """The account's fees; those for claims that no step of this case covers are another case's."""
        rows = self.charged.get(account_id)
        if not rows:
            return ()
        own = {claim for step in self.steps.get(case_id, ()) for claim in step[7] or ()}
        return tuple([ChargedFacts(r[1], r[2], r[3], r[4], r[5] not in own) for r in rows])

    def _payments(self, account_id: int) -> tuple[PaymentFacts, ...]:
        """What came in is told to the first of an account's cases only: one receipt a payment. What is on its way is
        told to all."""
        rows = self.payments.get(account_id)
        if not rows:
            return ()
        self.payments[account_id] = [row for row in rows if row[3] in ("ordered", "authorised")]
        return tuple([PaymentFacts(*r[1:]) for r in rows])

    def _service(self, row: Row) -> ServiceFacts:
        _, unsent, in_flight, gave_up, untouched = self.commands.get(row[1], _NO_COMMANDS)
        blocks = self.blocks.get(row[1])
        return ServiceFacts(
            id=row[1],
            kind=row[2],
            desired=_LEVELS[row[3]],
            generation=row[4],
            desired_at=row[5],
            observed=_LEVELS[row[6]] if row[6] else None,
            observed_at=row[7],
            controllable=row[8],
            left_behind=row[9],
            unsent=tuple(unsent) if unsent else (),
            in_flight=in_flight,
            gave_up=gave_up,
            untouched=untouched,
            blocks=tuple([BlockFacts(b[1], b[2], _LEVELS[b[3]], b[4], b[5], b[6]) for b in blocks]) if blocks else (),
        )

    def _step(self, case_id: int, row: Row) -> StepFacts:
        _, id_, number, step, decided_at, completed_at, pay_by, claims, principals, costs, raised = row
        effects, tasks = self.effects.get((case_id, number)), self.tasks.get((case_id, number))
        return StepFacts(
            id_,
            number,
            step,
            decided_at,
            completed_at,
            pay_by,
            tuple([StepClaimFacts(*one) for one in zip(claims, principals, costs, raised, strict=True)])
            if claims
            else (),
            tuple([EffectFacts(*r[2:]) for r in effects]) if effects else (),
            tuple([TaskFacts(*r[2:]) for r in tasks if r[2] is not None]) if tasks else (),
        )


def _by_two(rows: Iterable[Row]) -> dict[tuple[int, int], list[Row]]:
    grouped: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[0], row[1]].append(row)
    return grouped


def _claim(row: Row) -> ClaimFacts:
    shares = tuple([ServiceShare(s, a) for s, a in zip(row[8], row[9], strict=True)]) if row[8] else ()
    return ClaimFacts(row[2], row[3], row[4], row[5], row[6], row[7], shares)


def _holds(rows: list[Row], case_id: int) -> tuple[HoldFacts, ...]:
    """What is on hold for a case: also a claim or a service of it, whichever case that was said in, and the whole
    account where a hold protects its person: they need it as much when the next bill opens another case."""
    return tuple(
        [
            HoldFacts(*r[2:])
            for r in rows
            if r[1] is None or r[1] == case_id or r[4] or r[5] or (r[9] and r[3] in PERSONAL_HOLDS)
        ]
    )


def _pauses(rows: list[Row], case_id: int) -> tuple[PauseFacts, ...]:
    """What was on hold for a case (`_holds`). A promise that was broken is news in its own case only."""
    return tuple(
        [
            PauseFacts(r[2], r[3], r[4], r[5], r[6] and r[1] == case_id)
            for r in rows
            if r[1] is None or r[1] == case_id or r[3] or (r[7] and r[8] in PERSONAL_HOLDS)
        ]
    )


def _approvals(rows: list[Row]) -> tuple[ApprovalFacts, ...]:
    return tuple([ApprovalFacts(r[1], r[2], r[3], frozenset(r[4]), r[5]) for r in rows])


def _plan(row: Row) -> PlanFacts:
    _, id_, state, told, confirmed, parts, paid, is_open = row
    return PlanFacts(
        id_, state, tuple(map(part_of, parts)), tuple(map(paid_of, paid)), told=told, confirmed=confirmed, open=is_open
    )


def _handover(row: Row) -> HandoverFacts:
    _, id_, agency, title, state, step, wanted_back, claims, owed, lessened, told, *how = row
    return HandoverFacts(id_, agency, title, state, step, frozenset(claims), owed, lessened, told, wanted_back, *how)


def _flags(rows: Iterable[Row]) -> dict[str, str]:
    """One answer a flag: a yes anywhere is yes; else an unknown anywhere is unknown."""
    found: dict[str, str] = {}
    rank = {"no": 0, "unknown": 1, "yes": 2}
    for _, name, value in rows:
        if name not in found or rank[value] > rank[found[name]]:
            found[name] = value
    return dict(sorted(found.items()))
