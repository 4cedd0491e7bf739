"""A street of homes on real counterparts: FreeRADIUS, electricity meters, an SMSC, postfix, and a print folder.

    home = street.move_in(broadband=True, power=True)
    street.cut_power(home)
    assert street.breaker(home) == "disconnected"

What homes notice is asked of the counterparts, never of Relight: radclient logs in, the meter tells its breaker.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from tests.counterparts.freeradius import PASSWORD, PROFILE, FreeRadius, fresh_database
from tests.counterparts.mail import MailRelay
from tests.counterparts.meter import MeterControls, MeterPark
from tests.counterparts.postgres import Postgres
from tests.counterparts.smsc import Sms, Smsc
from tests.flow.factories import Account
from tests.journeys.world import World

OWED = 89900
_homes = count(1)


@dataclass(frozen=True)
class Town:
    """What all streets share, since it starts slowly."""

    radius: FreeRadius
    mail: MailRelay


@dataclass(frozen=True)
class Home:
    """A household: its account, how it is reached, and what it is supplied with (None or 0 where it is not)."""

    account: Account
    phone: str
    email: str
    username: str
    broadband: int = 0
    power: int = 0
    meter: MeterControls | None = None


@contextmanager
def running_town(database_url: str) -> Iterator[Town]:
    """FreeRADIUS with a database of its own beside Relight's, and a mail relay."""
    told = conninfo_to_dict(database_url)
    server = Postgres(Path(str(told["host"])).parent, str(told["host"]), int(str(told["port"])), None)
    with FreeRadius(fresh_database(server)) as radius, MailRelay() as mail:
        yield Town(radius, mail)


class Street(World):
    """A world whose drivers reach the counterparts."""

    def __init__(self, town: Town, smsc: Smsc, park: MeterPark, letters: Path, *world: Any, **options: Any):
        self.town, self.smsc, self.letters = town, smsc, letters
        self._meters = iter(park.meters)
        self.log_messages = False
        self.smsc_log: list[tuple[datetime, Sms]] = []
        super().__init__(*world, drivers=settings(town, smsc, letters), **options)

    def run(self) -> None:
        """Everything due at this moment; with `log_messages`, what the SMSC got by it is kept with the moment."""
        super().run()
        if self.log_messages:
            new = self.smsc.messages()[len(self.smsc_log) :]
            self.smsc_log += [(self.moment, sms) for sms in new]

    def patient(self) -> None:
        """From now on new workers wait long for their devices: a test decides when they are silenced."""
        self.owner.execute(
            "UPDATE partner SET driver_settings = driver_settings || %s WHERE id = %s",
            (Jsonb({"supply": devices(self.town, seconds=20)}), self.partner),
        )

    # -- homes

    def move_in(
        self, *, broadband: bool = False, power: bool = False, button: bool = True, online: bool = True, **options: Any
    ) -> Home:
        """A customer who can be reached by SMS, e-mail and letter, with services that work."""
        number = next(_homes)
        username, phone, email = f"home-{number}", f"+4790{number:06}", f"home-{number}@kunde.example"
        letter = f"Kari Nordmann\nStorgata {number}\n9008 Tromsø"
        options.setdefault("contacts", {"sms": phone, "email": email, "letter": letter})
        account = self.customer(**options)
        line = self._connect(account, username, online=online) if broadband else 0
        meter = next(self._meters) if power else None
        breaker = self._wire(account, meter) if meter else 0
        return Home(account, options["contacts"].get("sms", ""), options["contacts"].get("email", ""), username, line,
                    breaker, meter)  # fmt: skip

    def _connect(self, account: Account, username: str, *, online: bool) -> int:
        self.town.radius.add_user(username)
        if online:
            self.town.radius.start_session(username)
        address = {"username": username, "password": PASSWORD}
        return self.service(account, driver="radius", address=address, full_profile=PROFILE)

    def _wire(self, account: Account, meter: MeterControls) -> int:
        service = self.service(account, kind="electricity_grid", driver="dlms", address=meter.address)
        with self.db.transaction(self.partner) as tx:
            tx.run(
                "UPDATE device SET serial = %(serial)s WHERE access_point_id ="
                " (SELECT access_point_id FROM service WHERE id = %(service)s)",
                {"serial": meter.serial, "service": service},
            )
        return service

    # -- to where the stories begin

    def owes(self, home: Home, *, amount: int = OWED, **options: Any) -> None:
        """An unpaid bill for broadband, or two for power: fewer are no essential breach."""
        if home.broadband:
            self.invoice(home.account, amount=amount, **options)
        if home.power:
            for _ in range(2):
                self.invoice(home.account, amount=amount, kind="electricity_grid", **options)

    def until_power_asks(self, home: Home) -> None:
        """All notices for power given and waited for, a person has called, and the cut awaits its approval."""
        self.until_step(home.account, "contact")
        self.do_tasks(home.account, "contact_attempt")
        self.until_asked(home.account)

    def limit_broadband(self, home: Home, *, owing: bool = True) -> None:
        """Bill (unless there is one), reminder, notice, walled garden."""
        if owing:
            self.owes(home)
        self.until_step(home.account, "limit")
        self.run()

    def cut_broadband(self, home: Home) -> None:
        """The whole road to a line that is off."""
        self.limit_broadband(home)
        self.until_asked(home.account)
        self.approve(home.account)
        self.until_step(home.account, "cut")
        self.run()

    def cut_power(self, home: Home) -> None:
        """The whole road to an open breaker."""
        self.owes(home)
        self.until_power_asks(home)
        self.approve(home.account)
        self.until_step(home.account, "cut")
        self.run()

    def cut_all(self, home: Home) -> None:
        """The whole road for a home with power and broadband, whose cuts come weeks apart."""
        self.owes(home)
        self.until_step(home.account, "contact")
        self.do_tasks(home.account, "contact_attempt")

        def both_cut() -> bool:
            self.approve(home.account)
            self.run()
            return self.steps(home.account).count("cut") == 2

        self.until_true(both_cut, "both services cut")
        self.run()

    def an_hour_before(self, home: Home, step: str) -> None:
        """To the hour before the window opens in which a step is going to be taken."""

        def opens() -> Any:
            return self.value(
                "SELECT next_at FROM dunning_case WHERE account_id = %(a)s AND next_step = %(step)s"
                " AND waits_for = 'guard.window' AND next_at > %(now)s",
                a=home.account.id,
                step=step,
                now=self.moment,
            )

        self.until_true(opens, f"{step} waits for its window")
        self.until(opens() - timedelta(hours=1))

    # -- what the household notices

    def log_in(self, home: Home) -> dict[str, str]:
        """What FreeRADIUS answers the household's box, by radclient: code and attributes."""
        return self.town.radius.authenticate(home.username)

    def has_internet(self, home: Home) -> bool:
        """Whether the box gets in with the full profile."""
        return self.log_in(home).get("Filter-Id") == PROFILE

    def heard(self, home: Home) -> list[str]:
        """The packets that the access server got about the household."""
        return [packet for packet, _ in self.town.radius.heard(home.username)]

    def breaker(self, home: Home) -> str:
        """The breaker's control state as the meter has it."""
        assert home.meter is not None
        return str(home.meter.state()["control_state"])

    def actions(self, home: Home) -> list[str]:
        """What the meter was told to do, in order."""
        assert home.meter is not None
        return home.meter.actions()

    def presses_button(self, home: Home) -> None:
        """Somebody at home presses the meter's button, and Relight looks."""
        assert home.meter is not None
        assert home.meter.press_button()
        self.machine.look_at_buttons()
        self.run()

    def sms(self, home: Home) -> list[str]:
        """The texts on the household's phone, in order."""
        return [sms.text for sms in self.smsc.messages() if "+" + sms.to == home.phone]

    def mails(self, home: Home, how_many: int) -> list[str]:
        """The subjects in the household's mailbox, once so many have come through the relay."""

        def arrived() -> list[str]:
            return [str(mail["Subject"]) for mail in self.town.mail.messages() if mail["X-Rcpt-To"] == home.email]

        self.town.mail.wait_for(lambda: len(arrived()) >= how_many, f"{how_many} mails to {home.email}")
        return arrived()

    def posted(self, home: Home) -> list[dict[str, Any]]:
        """The sheets of the household's letters in the print folder."""
        sheets = [json.loads(path.read_text()) for path in sorted(self.letters.glob("*.json"))]
        number = home.username.removeprefix("home-")
        return [sheet for sheet in sheets if f"Storgata {number}" in sheet["address"]]

    def pays_everything(self, home: Home) -> None:
        """The household pays what it owes, exactly."""
        self.pays(home.account, self.debt(home))

    def debt(self, home: Home) -> int:
        """Open principal and costs, in minor units."""
        return int(self.value(
            "SELECT coalesce(sum(principal + costs), 0)::bigint FROM claim"
            " WHERE account_id = %(a)s AND state = 'open'", a=home.account.id))  # fmt: skip


def settings(town: Town, smsc: Smsc, letters: Path) -> dict[str, Any]:
    """A partner's driver settings for these counterparts, which answer at once or never: time-outs are short."""
    return {
        "supply": devices(town, seconds=1),
        "messages": {
            "sms": {"driver": "smpp", **smsc.settings, "country_code": "47"},
            "email": {"driver": "smtp", **town.mail.settings},
            "letter": {"driver": "print_folder", "folder": str(letters)},
        },
    }


def devices(town: Town, *, seconds: float) -> dict[str, Any]:
    """Settings of the supply drivers, which wait so long for an answer."""
    radius = town.radius.settings(timeout_seconds=seconds / 2, retries=1, accounting_seconds=1.0)
    dlms = {"connect_timeout_seconds": 2 * seconds, "answer_timeout_seconds": seconds, "settle_seconds": 0.5}
    return {"radius": {"driver": "radius", **radius}, "dlms": {"driver": "dlms", **dlms}}


def live(owner: psycopg.Connection, partner: int, **columns: Any) -> None:
    """Set columns of the partner's own row."""
    for name, value in columns.items():
        owner.execute(f"UPDATE partner SET {name} = %s WHERE id = %s", (value, partner))  # noqa: S608 - tests' own names
