"""Moving running cases to another version of their policy: a person's act, batch by batch, each case with its event.

A case goes on from the step that it has come to, with its notices and proofs. Where something that was done would be
lost it stays, and the list says why. What one move brought over can be moved back by its bulk id; which cases these are
is on their logs, and only counts and the first of them are kept here, so that a portfolio of any size can be moved.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from relight.core.calendars import calendar_for
from relight.core.moving import Hindrance, Taken, Underway, hindrance, promised, versions_differ
from relight.core.policy import Policy
from relight.flow.cases.drafts import put_on_record
from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.cases.operations import locked_at
from relight.flow.cases.people import Person
from relight.flow.cases.policies import PolicyShelf, compile_policy, newest, running
from relight.flow.database import Database, Tx, statements
from relight.flow.road.caps import UnableToExceed
from relight.flow.road.publishing import UnableToPublish, proof_of

SQL = statements(__package__, "moving.sql")
BATCH = 500
SHOWN_MAX = 100  # cases that are named: of those that moved, and for each reason to stay
_SHELF = PolicyShelf()
Clock = Callable[[], datetime]


class UnableToMove(UnableTo):
    """The two versions are for different customers, or are one and the same; no case was moved."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a move."""

    id: int
    version: int
    hash: str
    policy: Policy
    cap: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be moved: from where to where, and which: all, or `cases`, or those that the move `bulk` brought."""

    name: str
    old: End
    new: End
    cases: tuple[int, ...] | None = None
    bulk: int | None = None

    @property
    def asked(self) -> Mapping[str, object]:
        """As the statements ask for it."""
        return {"old": self.old.id, "cases": list(self.cases) if self.cases is not None else None, "bulk": self.bulk}


@dataclass(slots=True)
class Moved:
    """What a move came to, or would: `bulk` is its number (None: it was only looked at), `reasons` how many stay for
    each. `first_moved` and `first_stayed` name the first `SHOWN_MAX` of them, and of each reason; `unseen` those that
    were asked for by name and are not looked at yet."""

    old: int
    new: int
    bulk: int | None = None
    moved: int = 0
    reasons: Counter[Hindrance] = field(default_factory=Counter[Hindrance])
    first_moved: list[int] = field(default_factory=list[int])
    first_stayed: dict[Hindrance, list[int]] = field(default_factory=dict[Hindrance, list[int]])
    unseen: set[int] = field(default_factory=set[int])

    @property
    def stayed(self) -> int:
        """How many stayed."""
        return self.reasons.total()

    def moves(self, cases: Collection[int]) -> None:
        """Count some that move, in the order of their ids."""
        self.moved += len(cases)
        self.first_moved += list(cases)[: SHOWN_MAX - len(self.first_moved)]

    def stays(self, case: int, why: Hindrance) -> None:
        """Count one that stays."""
        self.reasons[why] += 1
        named = self.first_stayed.setdefault(why, [])
        if len(named) < SHOWN_MAX:
            named.append(case)


def plan(
    tx: Tx, name: str, *, old: int | None = None, new: int | None = None, cases: Collection[int] | None = None
) -> Plan:
    """Which versions a move is between: to the newest in force, from the only other one with cases, unless named.

    Raises `UnableToFind` for a version that is not there or where it has to be said which, `UnableToMove`, and
    `UnableToPublish` when today's law packs do not prove the version that cases would come under.
    """
    target = _end(tx, name, new if new is not None else newest(tx, name).version)
    origin = _end(tx, name, old if old is not None else _only_other(tx, name, target.version))
    _refuse_strangers(name, origin, target)
    proof = proof_of(target.policy)
    if not proof.ok:
        raise UnableToPublish(target.policy, proof)
    return Plan(name, origin, target, tuple(sorted(cases)) if cases is not None else None)


def plan_back(tx: Tx, bulk: int) -> Plan:
    """The way back of a move: the cases that it brought over and that nobody moved since. Raises `UnableToFind`."""
    found = tx.row(SQL.act, {"bulk": bulk})
    if found is None:
        raise UnableToFind(f"There was no move {bulk} at this partner. See them: relight policy history NAME")
    name, came_to, params = found
    return Plan(name, _end(tx, name, came_to), _end(tx, name, params["from"]), bulk=bulk)


def foresee(tx: Tx, wanted: Plan) -> Moved:
    """What a move would come to; changes nothing."""
    result = _begin(wanted)
    after = 0
    while page := _page(tx, wanted, after):
        after = page[-1][0]
        result.moves(_sort(tx, wanted, [case for case, _ in page], result))
    if wanted.new.cap is not None:
        _refuse_over_cap(tx, wanted, result.moved)
    _tell_missing(result)
    return result


def move(db: Database, partner_id: int, wanted: Plan, *, by: Person, clock: Clock, batch: int = BATCH) -> Moved:
    """Move the cases, a batch a transaction. One that is interrupted has moved whole batches; the rest can be moved
    by asking again. Raises `UnableToAct`, and `UnableToExceed` before anything is moved.
    """
    by.must("policy")
    result = _begin(wanted)
    with db.transaction(partner_id) as tx:
        if wanted.new.cap is not None:
            foresee(tx, wanted)  # which refuses it with the figures
        told = {"from": wanted.old.version, "back": wanted.bulk, "cases": wanted.cases and len(wanted.cases)}
        result.bulk = _record(tx, wanted, "moving", told, by, clock())
    after = 0
    while True:
        with db.transaction(partner_id) as tx:
            page = _page(tx, wanted, after, batch)
            if not page:
                break
            after = page[-1][0]
            _move_page(tx, wanted, page, result, by, clock())
    _tell_missing(result)
    with db.transaction(partner_id) as tx:
        told = {"bulk": result.bulk, "from": wanted.old.version, "stayed": result.stayed, "moved": result.moved}
        _record(tx, wanted, "moved", told, by, clock())
    return result


def _move_page(tx: Tx, wanted: Plan, page: list[tuple[int, int]], result: Moved, by: Person, now: datetime) -> None:
    now = locked_at(tx, sorted({account for _, account in page}), now)
    free = _sort(tx, wanted, [case for case, _ in page], result)
    tx.lock(SQL.lock_version, {"id": wanted.new.id})
    room = tx.value(SQL.room, {"id": wanted.new.id})
    if room is not None:
        for case in free[max(0, room) :]:
            result.stays(case, Hindrance("cap"))
        free = free[: max(0, room)]
    if not free:
        return
    _keep_promises(tx, wanted, free)
    told = {"name": wanted.name, "from": wanted.old.version, "to": wanted.new.version, "hash": wanted.new.hash}
    cause = f"undo {wanted.bulk}" if wanted.bulk is not None else ""
    params = {**told, "new": wanted.new.id, "ids": free, "bulk": result.bulk, "actor": by.name, "cause": cause}
    tx.run(SQL.move, {**params, "now": now})
    result.moves(free)


def _keep_promises(tx: Tx, wanted: Plan, cases: list[int]) -> None:
    """Write down the days to pay that letters gave under the version that sent them."""
    calendar = calendar_for(wanted.old.policy.country)
    given = [
        (id_, promised(_SHELF.get(tx, sent_under), calendar, *step))
        for id_, sent_under, *step in tx.rows(SQL.promised, {"ids": cases, "name": wanted.name})
    ]
    if given:
        steps, days = (list(column) for column in zip(*given, strict=True))
        tx.run(SQL.keep_promises, {"steps": steps, "days": days})


def _begin(wanted: Plan) -> Moved:
    return Moved(wanted.old.version, wanted.new.version, unseen=set(wanted.cases or ()))


def _tell_missing(result: Moved) -> None:
    """Cases that were named and do not run under the version they were to leave."""
    for case in sorted(result.unseen):
        result.stays(case, Hindrance("not_there"))
    result.unseen.clear()


def _sort(tx: Tx, wanted: Plan, ids: list[int], result: Moved) -> list[int]:
    """Those of a page that may move; why the others stay goes to the result."""
    free: list[int] = []
    asked = {"ids": ids, "old": wanted.old.id, "new": wanted.new.id}
    for case, steps, completed, approvals, leaving, there in tx.rows(SQL.underway, asked):
        taken = [Taken(*one) for one in zip(steps or (), completed or (), strict=True)]
        why = hindrance(wanted.old.policy, wanted.new.policy, Underway(taken, approvals, leaving))
        why = Hindrance("already_there") if there else why
        result.unseen.discard(case)
        if why is None:
            free.append(case)
        else:
            result.stays(case, why)
    return free


def _page(tx: Tx, wanted: Plan, after: int, limit: int = BATCH) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in tx.rows(SQL.page, {**wanted.asked, "after": after, "limit": limit})]


def _end(tx: Tx, name: str, version: int) -> End:
    found = tx.row(SQL.version, {"name": name, "version": version})
    if found is None:
        raise UnableToFind(f"{name} has no version {version}. See: relight policy history {name}")
    id_, number, hash_, text, cap = found
    return End(id_, number, hash_, compile_policy(text), cap)


def _only_other(tx: Tx, name: str, target: int) -> int:
    found = [row[0] for row in tx.rows(SQL.under, {"name": name}) if row[0] != target]
    if len(found) != 1:
        told = (
            f"Cases run under versions {', '.join(map(str, found))}" if found else "No case runs under another version"
        )
        raise UnableToFind(
            f"{told} of {name}." + (" Say which: --from VERSION" if found else " There is none to move.")
        )
    return found[0]


def _refuse_strangers(name: str, old: End, new: End) -> None:
    if old.id == new.id:
        raise UnableToMove(f"{name} {old.version} is where the cases are. Say where to: --to VERSION")
    differs = versions_differ(old.policy, new.policy)
    if differs:
        raise UnableToMove(
            f"{name} {old.version} and {new.version} are for different customers ({differs}). Running cases stay;"
            " new ones come under the new version."
        )


def _refuse_over_cap(tx: Tx, wanted: Plan, coming: int) -> None:
    there = running(tx, wanted.new.id)
    if wanted.new.cap is not None and there + coming > wanted.new.cap:
        raise UnableToExceed(
            f"{there:,} cases run under {wanted.name} {wanted.new.version}, and {coming:,} more would be"
            f" {there + coming:,}: the cap is {wanted.new.cap:,}. Move fewer (--case), or raise it:"
            f" relight policy share {wanted.name} SHARE --cap {there + coming}",
            coming=there + coming,
            cap=wanted.new.cap,
        )


def _record(tx: Tx, wanted: Plan, code: str, told: Mapping[str, object], by: Person, now: datetime) -> int:
    new = wanted.new
    return put_on_record(tx, code, name=wanted.name, hash=new.hash, by=by, now=now, version=new.version, params=told)
