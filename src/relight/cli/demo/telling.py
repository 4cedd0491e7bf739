"""What people see of the demo in the terminal: a line for each evening, and a summary in words."""

from datetime import date

from relight.cli.demo.story import Told
from relight.cli.output import news

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Evenings:
    """A line an evening: what stands, and what happened that day."""

    def __init__(self) -> None:
        self._sent = self._restored = self._paid = 0
        self._begun = False

    def __call__(self, day: date, stands: tuple[int, ...]) -> None:
        """Tell of a day: active cases, messages, limited, cut, restored, payments."""
        active, sent, limited, cut, restored, paid = stands
        if not self._begun:
            news("date            in arrears  messages  payments  limited now  cut now  back on")
            self._begun = True
        news(
            f"{_WEEKDAYS[day.weekday()]} {day:%d.%m.%Y}  {active:>10}  {_plus(sent - self._sent):>8}"
            f"  {_plus(paid - self._paid):>8}  {limited or '·':>11}  {cut or '·':>7}"
            f"  {_plus(restored - self._restored):>7}"
        )
        self._sent, self._restored, self._paid = sent, restored, paid


def _plus(count: int) -> str:
    return f"+{count}" if count else "·"


def summary(told: Told) -> str:
    """The demo in words."""
    found, seconds = told.result, told.result["restore_seconds"]
    rows = [
        (found["accounts"], "accounts, with"),
        (found["claims"], "invoices"),
        (found["cases_opened"], "times somebody fell into arrears and was followed up"),
        (found["messages_sent"], "messages were sent: SMS, e-mail and letters"),
        (found["payments"], "payments came in, by card and by bank"),
        (found["cases_cured"], "times the arrears were paid and the case was over"),
        (found["limited"], "broadband lines were led to the pay page only"),
        (found["disconnected"], "services were cut, each after a person's approval"),
        (found["restored"], "services were given back"),
        (found["given_up"], "commands or messages were given up, and left to a person"),
    ]
    lines = ["", *(f"{count:>7,}  {what}" for count, what in rows), ""]
    balance = "is balanced" if found["ledger_balanced"] else "IS NOT BALANCED"
    lines.append(f"The ledger {balance}: every sum equals its transfers.")
    if seconds["p50"] is not None:
        lines.append(
            f"From payment to read-back: half within {seconds['p50']:.2f} s, 99 of 100 within {seconds['p99']:.2f} s"
            " (simulated devices, one process)."
        )
    lines.append(f"The days took {told.seconds:.0f} s. {told.fed:,} entries of the feed were read.")
    return "\n".join(lines)


def welcome(site: str) -> str:
    """Where to watch."""
    return f"\nWatch it in the browser:  {site}/demo/\n"


def farewell(site: str, user: str, password: str) -> str:
    """Where to go on, and how to end."""
    return (
        f"\nNow you are Kari. Pay, and watch the light come back:  {site}/demo/\n"
        f"The console:  {site}/console/  as {user}, password {password}\n"
        "Ctrl-C ends the demo."
    )
