"""What a booking is called: the same in every file that tells of it, while two equal ones in one file are two.

With the bank's own reference that is: account, day booked, reference, sum. Without one: account, day booked, sum and
whatever else the row says of the payment. `docs/bank-files.md` says why.
"""

from array import array
from datetime import date
from hashlib import blake2b

from relight.flow.payments.rows import Booking

_MASK = 2**64 - 1
_FULL = 0.6

# What payers and banks write where they have no reference.
NO_REFERENCE = frozenset(("", "NOTPROVIDED", "NONREF", "NOREF", "NOT PROVIDED", "N/A", "0"))


def said(reference: str) -> str:
    """A reference, or nothing where it only says that there is none."""
    return "" if reference.strip().upper() in NO_REFERENCE else reference.strip()


class Twins:
    """How often each booking of a file was met, in so few bytes a booking that millions fit."""

    def __init__(self) -> None:
        self._used = 0
        self._keys = array("Q", bytes(8 * 1024))
        self._counts = array("L", bytes(array("L").itemsize * 1024))

    def count(self, key: object) -> int:
        """Note a booking; how many there are of it now."""
        hashed = hash(key) & _MASK or 1
        place = self._place(hashed)
        if self._keys[place] != hashed:
            self._keys[place] = hashed
            self._used += 1
        self._counts[place] += 1
        found = self._counts[place]
        if self._used > _FULL * len(self._keys):
            self._grow()
        return found

    def _place(self, hashed: int) -> int:
        mask = len(self._keys) - 1
        place = hashed & mask
        while self._keys[place] not in (0, hashed):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        keys, counts = self._keys, self._counts
        self._keys = array("Q", bytes(16 * len(keys)))
        self._counts = array("L", bytes(2 * counts.itemsize * len(counts)))
        for key, count in zip(keys, counts, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._counts[place] = key, count


class Names:
    """Gives the bookings of one file their names."""

    def __init__(self) -> None:
        self._twins = Twins()

    def name(
        self, booking: Booking, booked: date, *, amount: int, currency: str, besides: tuple[str, ...], place: object
    ) -> str:
        """A booking's `ref`. `besides` tells apart what shares a reference, or has none.

        `place` is where two equal bookings with a reference must be two: the statement, since none lists a booking
        twice. Without a reference it is the whole file: a bank may put each payment into a notification of its own.
        """
        bank_reference = said(booking.servicer_ref)
        key = (booking.bank_account, booked.isoformat(), bank_reference, amount, currency, booking.is_return, *besides)
        # Two statements of a file may both list a booking that has a reference: then it is the same one.
        nth = self._twins.count((*key, place))
        digest = blake2b("\x1f".join(map(str, key)).encode("utf-8", "replace"), digest_size=12).hexdigest()
        shown = "".join(sign for sign in bank_reference if sign.isalnum() or sign in "-/.")[:35]
        return f"{booked:%Y%m%d}-{shown + '-' if shown else ''}{digest}{f'-{nth}' if nth > 1 else ''}"
