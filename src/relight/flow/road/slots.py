"""Fair shares: how many attempts a worker's lane has under way, of which partner and at which driver.

One partner's slow drivers never take all of a lane: while others have work each gets an equal part, and alone it leaves
a quarter free for whoever comes next. Messages never take more than half of the urgent lane: however slow an SMSC is,
and however many receipts wait, restores leave.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from threading import Lock

from relight.flow.effects.rests import Driver, Load
from relight.flow.road.release import Job

BATCH_MAX = 50


class Slots:
    """The attempts of one lane of one worker, at most `size`. The loop counts them, and a thread asks."""

    def __init__(self, size: int):
        self.size = size
        self._lock = Lock()
        self._by_partner = Counter[int]()
        self._by_driver: dict[int, Counter[Driver]] = {}
        self._last = 0

    def take(self, job: Job) -> None:
        """An attempt begins."""
        with self._lock:
            self._by_partner[job.partner_id] += 1
            self._by_driver.setdefault(job.partner_id, Counter())[_driver(job)] += 1

    def give_back(self, job: Job) -> None:
        """It has ended."""
        with self._lock:
            self._by_partner[job.partner_id] -= 1
            self._by_driver[job.partner_id][_driver(job)] -= 1
            if not self._by_partner[job.partner_id]:
                del self._by_partner[job.partner_id], self._by_driver[job.partner_id]

    def load(self, partner_id: int) -> Load:
        """What a partner's drivers have under way."""
        with self._lock:
            return dict(self._by_driver.get(partner_id, {}))

    def in_turn(self, partners: Collection[int]) -> list[int]:
        """In the order in which they are served: whoever comes after the one that was served last begins."""
        ordered = sorted(partners)
        later = [partner for partner in ordered if partner > self._last]
        return later + ordered[: len(ordered) - len(later)]

    def room(self, partner_id: int, *, waiting: int, begun: int) -> int:
        """How many attempts a partner, whose turn it is, may begin now; see `left`."""
        self._last = partner_id
        return self.left(partner_id, waiting=waiting, begun=begun)

    def left(self, partner_id: int, *, waiting: int, begun: int) -> int:
        """How many attempts a partner may begin, when `waiting` partners have work and `begun` attempts of this round
        are not taken yet."""
        with self._lock:
            taken, own = self._by_partner.total(), self._by_partner[partner_id]
        share = self.size // waiting if waiting > 1 else self.size * 3 // 4
        return max(0, min(BATCH_MAX, self.size - taken - begun, max(1, share) - own))

    def messages_left(self, begun: Sequence[Job]) -> int:
        """How many messages may begin, of all partners, when these attempts of this round are not taken yet."""
        with self._lock:
            taken = sum(counts[driver] for counts in self._by_driver.values() for driver in counts if _tells(driver))
        return max(0, self.size // 2 - taken - sum(_tells(_driver(job)) for job in begun))


def _tells(driver: Driver) -> bool:
    return driver[0] == "message"


def _driver(job: Job) -> Driver:
    kind = "message" if job.message is not None else "handover" if job.package is not None else "supply"
    return kind, job.driver
