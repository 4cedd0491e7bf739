"""Share money out among claims. Pure: who calls posts what comes of it.

First, payment by payment in the order that they came, what each one names: those claims, in that order, as much as the
payer says. Then what is left, payment by payment again, by the rule, the claim that was due first before the others.
What nobody owes is left over, and a name that no open claim has pays nothing by name: it is never guessed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from relight.core.allocation.rule import AllocationRule, Kind


@dataclass(frozen=True, slots=True)
class Line:
    """What is still owed of one line of a claim, in minor units."""

    kind: Kind
    owed: int


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim that money can pay. `names` are those by which a payer may call it: its number, its reference."""

    id: int
    due_date: date
    lines: tuple[Line, ...]
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Naming:
    """What a payer says: a claim's name, how much is for it (None: whatever it takes), and of which kind alone."""

    name: str
    amount: int | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """A payment that waits to be shared out: its id, its amount in minor units, and what its payer says."""

    id: int
    amount: int
    named: tuple[Naming, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """So much of a payment for one line of a claim (its place among the claim's lines)."""

    money: int
    claim: int
    line: int
    kind: Kind
    amount: int


@dataclass(frozen=True, slots=True)
class Allocated:
    """Who paid what, and what is left of each payment."""

    shares: tuple[Share, ...]
    over: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """One open line, where it stands."""

    claim: OpenClaim
    line: int

    @property
    def kind(self) -> Kind:
        return self.claim.lines[self.line].kind


def allocate(
    money: Sequence[Money], claims: Sequence[OpenClaim], rule: AllocationRule, *, spend_rest: bool = True
) -> Allocated:
    """Share payments of one account and currency out among its open claims.

    With `spend_rest=False` only what payers name is paid. Raises ValueError for amounts below zero (of payments: or
    zero) and for ids that come twice.
    """
    _refuse_nonsense(money, claims)
    books = _Books(money, claims)
    for one in money:
        for naming in one.named:
            called = [claim for claim in claims if naming.name in claim.names]
            places = [place for place in _places(called, rule) if naming.kind in (None, place.kind)]
            books.spend(one.id, places, most=naming.amount)
    if spend_rest:
        places = list(_places(claims, rule))
        for one in money:
            books.spend(one.id, places)
    return Allocated(tuple(books.shares()), dict(books.left))


class _Books:
    """What is still owed and what is still left, while it is shared out."""

    def __init__(self, money: Sequence[Money], claims: Sequence[OpenClaim]):
        self.left = {one.id: one.amount for one in money}
        self._owed = {(claim.id, at): line.owed for claim in claims for at, line in enumerate(claim.lines)}
        self._paid: dict[tuple[int, int, int], int] = {}
        self._kinds: dict[tuple[int, int], Kind] = {
            (claim.id, at): line.kind for claim in claims for at, line in enumerate(claim.lines)
        }

    def spend(self, money: int, places: Iterable[_Place], *, most: int | None = None) -> None:
        """Pay these lines in their order, until nothing is left or owed, or `most` is spent."""
        budget = self.left[money] if most is None else min(most, self.left[money])
        for place in places:
            key = (place.claim.id, place.line)
            amount = min(budget, self._owed[key])
            if amount:
                budget -= amount
                self.left[money] -= amount
                self._owed[key] -= amount
                self._paid[money, *key] = self._paid.get((money, *key), 0) + amount

    def shares(self) -> Iterator[Share]:
        """Each payment's part of each line once, in the order in which they were first paid."""
        for (money, claim, line), amount in self._paid.items():
            yield Share(money, claim, line, self._kinds[claim, line], amount)


def _places(claims: Iterable[OpenClaim], rule: AllocationRule) -> list[_Place]:
    """The lines of these claims in the order in which money pays them."""
    rank = {kind: at for at, kind in enumerate(rule.order)}
    places = [_Place(claim, at) for claim in claims for at in range(len(claim.lines))]
    if rule.first == "claim":
        return sorted(places, key=lambda it: (it.claim.due_date, it.claim.id, rank[it.kind], it.line))
    return sorted(places, key=lambda it: (rank[it.kind], it.claim.due_date, it.claim.id, it.line))


def _refuse_nonsense(money: Sequence[Money], claims: Sequence[OpenClaim]) -> None:
    if len({one.id for one in money}) < len(money) or len({claim.id for claim in claims}) < len(claims):
        raise ValueError("a payment or a claim comes twice")
    if any(one.amount <= 0 for one in money):
        raise ValueError("a payment is above zero")
    if any(line.owed < 0 for claim in claims for line in claim.lines):
        raise ValueError("nobody owes less than nothing")
    if any(naming.amount is not None and naming.amount < 0 for one in money for naming in one.named):
        raise ValueError("nobody names less than nothing")
