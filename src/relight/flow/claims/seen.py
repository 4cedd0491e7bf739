"""Which numbers a file has already used, in so few bytes a number that millions fit."""

from array import array
from collections.abc import Hashable
from enum import Enum

_FULL = 0.6
_EMPTY = 0
_MASK = 2**64 - 1


class Seen(Enum):
    """Whether a number is new to its file, repeated word for word, or used for something else."""

    NEW = "new"
    SAME = "same"
    DIFFERENT = "different"


class SeenNumbers:
    """An open-addressed table of 64-bit hashes: two numbers of one file collide once in 10^7 files of a million."""

    def __init__(self) -> None:
        self._count = 0
        self._keys = array("Q", bytes(8 * 1024))
        self._contents = array("Q", bytes(8 * 1024))

    def see(self, key: Hashable, content: Hashable) -> Seen:
        """Note a number with what it stands for."""
        hashed = hash(key) & _MASK or 1
        short = hash(content) & _MASK
        place = self._place(hashed)
        if self._keys[place] == hashed:
            return Seen.SAME if self._contents[place] == short else Seen.DIFFERENT
        self._keys[place], self._contents[place] = hashed, short
        self._count += 1
        if self._count > _FULL * len(self._keys):
            self._grow()
        return Seen.NEW

    def _place(self, hashed: int) -> int:
        mask = len(self._keys) - 1
        place = hashed & mask
        while self._keys[place] not in (_EMPTY, hashed):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        keys, contents = self._keys, self._contents
        self._keys = array("Q", bytes(16 * len(keys)))
        self._contents = array("Q", bytes(16 * len(keys)))
        for hashed, short in zip(keys, contents, strict=True):
            if hashed != _EMPTY:
                place = self._place(hashed)
                self._keys[place], self._contents[place] = hashed, short
