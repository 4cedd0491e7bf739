"""How much bulk work is taken at once: it holds locks as long as it lasts, and who has paid may wait for them."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class BatchSize:
    """A size that follows the machine: at most `most`, and when a batch takes longer than `seconds` (the processors are
    others', or the disk is slow) so many fewer, but at least `least`."""

    most: int
    least: int
    seconds: float
    now: int = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.most

    def took(self, count: int, seconds: float) -> None:
        """A batch of so many has taken so long. After one that was quick enough the next may be twice as large."""
        if seconds > self.seconds:
            self.now = max(self.least, min(self.now, int(count * self.seconds / seconds)))
        else:
            self.now = min(self.most, 2 * self.now)
