"""A world for journeys: one partner, one clock, the production road; time passes by jumping to what is due next."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from relight.audit.report import Violation
from relight.audit.run import audit
from relight.core.policy_reader import packaged_text
from relight.flow.cases import operations as cases
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.payments.links import LinkKey, make
from relight.flow.payments.settle import settle
from relight.flow.road.hear import Ear
from relight.flow.road.machine import LANES, Machine
from relight.flow.road.publishing import publish_at_once
from relight.flow.road.release import Job, LinkMaker
from tests.flow import factories
from tests.flow.factories import Account

LINK_KEY = LinkKey.of("only for tests")
SAFE_FLAGS = (
    "danger_life",
    "danger_health",
    "danger_significant_property",
    "severe_cold",
    "objection_not_obviously_groundless",
    "social_service_written_guarantee",
)
SIMULATED = {
    "supply": {"sim": {"driver": "simulator"}},
    "messages": {channel: {"driver": "inbox", "channel": channel} for channel in ("sms", "email", "letter")},
}


class World:
    """One partner's days. `bank_is_told` keeps the money data fresh as time passes."""

    def __init__(
        self,
        db: Database,
        owner: psycopg.Connection,
        partner: int,
        start: datetime,
        *,
        drivers: Mapping[str, Any] = SIMULATED,
        policies: tuple[str, ...] = ("broadband-no", "power-grid-no"),
    ):
        self.db, self.owner, self.partner, self.moment = db, owner, partner, start
        self.bank_is_told = True
        owner.execute(
            "UPDATE partner SET driver_settings = %s, site = 'nordlys.example' WHERE id = %s",
            (Jsonb(dict(drivers)), partner),
        )
        owner.execute(
            "UPDATE brand SET phone = '77 00 00 00', site = 'nordlys.example',"
            " return_address = E'Nordlys Kraft AS\\nPostboks 1\\n9008 Tromsø' WHERE partner_id = %s",
            (partner,),
        )
        self.machine = self.another_machine()
        with db.transaction(partner) as tx:
            self.source = factories.make_source(tx, start)
            for name in policies:
                publish_at_once(tx, packaged_text(name), by=operator("test"), now=start)

    def close(self) -> None:
        """End the drivers, and the partner's affairs: a later world's machine must not find them due."""
        self.machine.close()
        for statement in (
            "UPDATE partner SET driver_settings = '{}' WHERE id = %s",
            "UPDATE dunning_case SET state = 'closed', wakes_at = NULL WHERE partner_id = %s",
            "UPDATE effect SET state = 'cancelled' WHERE partner_id = %s AND state IN ('pending', 'in_flight')",
        ):
            self.owner.execute(statement, (self.partner,))

    def another_machine(self) -> Machine:
        """One more worker, with drivers of its own. Close it."""
        link = LinkMaker("https://betal.nordlys.example", lambda p, i: make(p, i, LINK_KEY))
        return Machine(self.db, link, lambda: self.moment, only={self.partner})

    def policy(self, name: str, *changes: tuple[str, str]) -> None:
        """Publish a packaged policy with changes to its text, for cases that open from now on."""
        text = packaged_text(name)
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        with self.db.transaction(self.partner) as tx:
            publish_at_once(tx, text, by=operator("test"), now=self.moment)

    # -- people and bills

    def customer(self, **options: Any) -> Account:
        """An account whose protective flags are all known to be no."""
        with self.db.transaction(self.partner) as tx:
            account = factories.make_account(tx, self.moment, **options)
            for name in SAFE_FLAGS:
                tx.run(
                    "INSERT INTO flag (partner_id, name, value, account_id, starts_at, source)"
                    " VALUES (%(p)s, %(name)s, 'no', %(account)s, %(now)s, 'test')",
                    {"p": self.partner, "name": name, "account": account.id, "now": self.moment},
                )
            return account

    def service(self, account: Account, *, kind: str = "broadband", driver: str = "sim", **options: Any) -> int:
        """A service with supply."""
        options.setdefault("address", {"device": f"{account.ref}-{kind}"})
        with self.db.transaction(self.partner) as tx:
            return factories.make_service(tx, account, self.moment, kind=kind, driver=driver, **options)

    def invoice(self, account: Account, *, due: date | None = None, kind: str = "broadband", **options: Any) -> int:
        """An invoice, and the case that it opens."""
        with self.db.transaction(self.partner) as tx:
            claim = factories.make_claim(
                tx,
                account,
                self.moment,
                due_date=due or self.moment.date() + timedelta(days=14),
                service_kind=kind,
                **options,
            )
            open_cases(tx, [account.id], self.moment)
            return claim

    def pays(self, account: Account, amount: int, **options: Any) -> None:
        """Money arrives, as a provider or a bank would tell it."""
        with self.db.transaction(self.partner) as tx:
            settle(tx, self.source, [factories.payment_row(amount, self.moment, account=account, **options)],
                   now=self.moment)  # fmt: skip

    def bank_was_heard(self, moment: datetime) -> None:
        """The bank's payments are complete until then, and nobody knows of later ones."""
        with self.db.transaction(self.partner) as tx:
            tx.run("UPDATE source SET complete_until = %(moment)s", {"moment": moment})

    # -- time

    def run(self) -> None:
        """Everything due at this moment."""
        if self.bank_is_told:
            self.bank_was_heard(self.moment)
        self.machine.find_lost()
        self.machine.run()

    def until(self, moment: datetime) -> None:
        """Let time pass, stopping wherever something is due."""
        self.run()
        while (due := self.next_due()) is not None and due <= moment:
            self.moment = max(due, self.moment)
            self.run()
        self.moment = moment
        self.run()

    def days(self, count: float) -> None:
        """Let days pass."""
        self.until(self.moment + timedelta(days=count))

    def next_due(self) -> datetime | None:
        """When something is due next, after this moment."""
        return self.value(
            "SELECT min(at) FROM (SELECT wakes_at AS at FROM dunning_case UNION ALL"
            " SELECT coalesce(lease_until, due_at) FROM effect WHERE state IN ('pending', 'in_flight')) d"
            " WHERE at > %(now)s",
            now=self.moment,
        )

    def until_step(self, account: Account, step: str, *, days: int = 120) -> None:
        """Let time pass until a case of the account has taken a step."""
        end = self.moment + timedelta(days=days)
        while step not in self.steps(account):
            self.run()
            if step in self.steps(account):
                return
            due = self.next_due()
            assert due is not None, f"{step} was never taken: {self.log(account)}"
            assert due <= end, f"{step} was never taken: {self.log(account)}"
            self.moment = due

    def until_true(self, condition: Callable[[], Any], what: str, *, days: int = 120) -> None:
        """Let time pass until something holds."""
        end = self.moment + timedelta(days=days)
        self.run()
        while not condition():
            due = self.next_due()
            assert due is not None, f"nothing is due any more before: {what}"
            assert due <= end, f"in {days} days it did not come to: {what}"
            self.moment = max(due, self.moment)
            self.run()

    def until_asked(self, account: Account) -> None:
        """Let time pass until a case of the account asks for an approval."""
        self.until_true(lambda: self.asked(account), f"approval requested, {self.log(account)}")

    def until_clock(self, hour: int, minute: int = 0, *, weekday: int | None = None) -> None:
        """Let time pass until the partner's clock shows this, today or later, on a weekday (0 is Monday)."""
        zone = ZoneInfo("Europe/Oslo")
        local = self.moment.astimezone(zone)
        there = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        while there < local or (weekday is not None and there.weekday() != weekday):
            there += timedelta(days=1)
        self.until(there.astimezone(self.moment.tzinfo))

    # -- the road, stage by stage

    def decide(self) -> int:
        """The first stage alone: decide and record what is due; nothing leaves."""
        return sum(self.machine.turner.drain(lane, self.moment) for lane in LANES)

    def release(self) -> list[Job]:
        """The second stage alone: attempts on record, for `act`; no driver has heard of them."""
        jobs: list[Job] = []
        for lane in LANES:
            while True:
                seen, batch = self.machine.releaser.release(self.partner, lane, self.moment)
                if not seen:
                    break
                jobs += batch
        return jobs

    def act(self, jobs: list[Job]) -> None:
        """The last two stages: the drivers act, and the outcomes are written."""
        self.machine._loop.run(self.machine._act(jobs))

    def listen_until(self, condition: Callable[[], Any], what: str, *, seconds: float = 15) -> None:
        """Hear the message drivers until something holds: delivery receipts, bounces, customers' answers."""
        self.machine._loop.run(self._listen_until(condition, what, seconds))

    async def _listen_until(self, condition: Callable[[], Any], what: str, seconds: float) -> None:
        room, ear = self.machine.room, Ear(self.db, self.partner, lambda: self.moment)
        names = await asyncio.to_thread(room.names, self.partner, "messages")
        drivers = [await asyncio.to_thread(room.get, self.partner, "messages", name) for name in names]
        listening = [asyncio.create_task(driver.listen(ear)) for driver in drivers]
        deadline = time.monotonic() + seconds
        try:
            while not await asyncio.to_thread(condition):
                assert time.monotonic() < deadline, f"in {seconds} seconds it was not heard: {what}"
                await asyncio.sleep(0.02)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)

    # -- people at desks

    def approve(self, account: Account, *, by: str = "bente", granted: bool = True) -> None:
        """Answer what the account's cases ask."""
        with self.db.transaction(self.partner) as tx:
            for (id_,) in tx.rows(
                "SELECT p.id FROM approval p JOIN dunning_case c ON c.id = p.case_id WHERE p.state = 'requested'"
                " AND c.account_id = %(a)s",
                {"a": account.id},
            ):
                cases.decide_approval(tx, approval_id=id_, actor=by, granted=granted, now=self.moment)

    def do_tasks(self, account: Account, code: str) -> None:
        """Finish the account's open tasks of a kind."""
        with self.db.transaction(self.partner) as tx:
            for (id_,) in tx.rows(
                "SELECT id FROM task WHERE state = 'open' AND code = %(code)s AND account_id = %(a)s",
                {"code": code, "a": account.id},
            ):
                cases.finish_task(tx, task_id=id_, actor="bente", now=self.moment)

    def hold(self, account: Account, reason: str, **options: Any) -> int:
        """Pause the account's newest case; the hold's id."""
        with self.db.transaction(self.partner) as tx:
            case_id = tx.value("SELECT max(id) FROM dunning_case WHERE account_id = %(a)s", {"a": account.id})
            return cases.place_hold(
                tx, case_id=case_id, account_id=account.id, reason=reason, actor="bente", now=self.moment, **options
            )

    # -- looking

    def rows(self, statement: str, **params: Any) -> list[tuple[Any, ...]]:
        """Rows of the partner."""
        with self.db.transaction(self.partner) as tx:
            return tx.rows(statement, params)

    def value(self, statement: str, **params: Any) -> Any:
        """The first value."""
        found = self.rows(statement, **params)
        return found[0][0] if found else None

    def steps(self, account: Account) -> list[str]:
        """Steps taken and not voided, in order."""
        return [row[0] for row in self.rows(
            "SELECT s.step FROM step_taken s JOIN dunning_case c ON c.id = s.case_id WHERE c.account_id = %(a)s"
            " AND s.voided_at IS NULL ORDER BY s.decided_at, s.id", a=account.id)]  # fmt: skip

    def log(self, account: Account) -> list[str]:
        """The codes on the log."""
        return [row[0] for row in self.rows(
            "SELECT e.code FROM case_event e JOIN dunning_case c ON c.id = e.case_id WHERE c.account_id = %(a)s"
            " ORDER BY e.at, e.case_id, e.number", a=account.id)]  # fmt: skip

    def audited(self) -> list[Violation]:
        """What an audit of this partner finds, as of this moment."""
        slug = self.value("SELECT slug FROM partner WHERE id = %(id)s", id=self.partner)
        return audit(self.db.conninfo, partner=slug, as_of=self.moment).violations

    def codes(self, account: Account) -> set[str]:
        """The codes of the reasons on the log."""
        return {row[0] for row in self.rows(
            "SELECT DISTINCT r ->> 'code' FROM case_event e JOIN dunning_case c ON c.id = e.case_id,"
            " jsonb_array_elements(e.reasons) r WHERE c.account_id = %(a)s", a=account.id)}  # fmt: skip

    def asked(self, account: Account) -> bool:
        """Whether a case of the account waits for a person's yes."""
        return bool(self.value(
            "SELECT 1 FROM approval p JOIN dunning_case c ON c.id = p.case_id"
            " WHERE c.account_id = %(a)s AND p.state = 'requested'", a=account.id))  # fmt: skip

    def tasks(self, account: Account, state: str = "open") -> list[str]:
        """The codes of the account's tasks, oldest first."""
        return [row[0] for row in self.rows(
            "SELECT code FROM task WHERE account_id = %(a)s AND state = %(state)s ORDER BY id",
            a=account.id, state=state)]  # fmt: skip

    def messages(self, account: Account) -> list[tuple[str, str]]:
        """(template, channel) of what was sent, in order."""
        return self.rows(
            "SELECT template, channel FROM sent_message WHERE account_id = %(a)s AND sent_at IS NOT NULL"
            " ORDER BY sent_at, id", a=account.id)  # fmt: skip

    def observed(self, service: int) -> str:
        """What was last seen of a service."""
        return self.value("SELECT observed FROM supply WHERE service_id = %(s)s", s=service)

    def commands(self, service: int) -> list[tuple[str, str]]:
        """(level, state) of a service's commands, in order."""
        return self.rows(
            "SELECT level, state FROM effect WHERE service_id = %(s)s AND kind = 'supply' ORDER BY id", s=service
        )

    def state(self, account: Account) -> str:
        """The state of the account's newest case."""
        return self.value("SELECT state FROM dunning_case WHERE account_id = %(a)s ORDER BY id DESC", a=account.id)
