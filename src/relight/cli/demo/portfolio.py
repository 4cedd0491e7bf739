"""The demo's portfolio: households in the north of Norway with broadband, power or both, and their invoices.

Pure: the same seed gives the same people and the same bills. Nobody here is real. Telephone numbers begin with 19,
which no Norwegian subscriber's number does; e-mail addresses end in `.example` (RFC 2606).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml
from stdnum import luhn

from relight.cli.demo.habits import HABITS, VISITOR, Habit
from relight.flow.claims.rows import ClaimRow, Customer, LineRow

BROADBAND, POWER = "broadband", "electricity_grid"
CREDITORS = {BROADBAND: "Nordlys Fiber AS", POWER: "Nordlys Nett AS"}
DRIVER = "devices"
LOOKED_INTO = (
    "danger_life", "danger_health", "danger_significant_property", "severe_cold",
    "objection_not_obviously_groundless", "social_service_written_guarantee",
)  # fmt: skip
_TERM = timedelta(days=21)
_FIRST_MOBILE = 4719000000


@dataclass(frozen=True, slots=True)
class Supplied:
    """One service of a household. `key` is its device; `monthly` in minor units."""

    kind: str
    key: str
    product: str
    serial: str
    monthly: int


@dataclass(frozen=True, slots=True)
class Household:
    """An account: who, where, how to reach them, what they have, and how they treat bills."""

    number: int
    ref: str
    name: str
    mobile: str
    email: str
    street: str
    town: tuple[str, str, str]
    profile: str
    flags: tuple[tuple[str, str], ...]
    services: tuple[Supplied, ...]
    habit: Habit

    @property
    def postal(self) -> str:
        """The address as a letter has it."""
        return f"{self.name}\n{self.street}\n{self.town[0]} {self.town[1]}"


@dataclass(frozen=True, slots=True)
class Invoice:
    """A bill and the day it comes."""

    household: int
    issued: date
    row: ClaimRow


@cache
def people() -> dict[str, Any]:
    """Names and places."""
    found: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("people.yaml").read_text("utf-8"))
    return found


def households(count: int, seed: int) -> list[Household]:
    """The demo's accounts. The first one is the visitor's: both services, reachable by SMS, and cut in the end."""
    return [_visitor(seed), *(_household(number, seed) for number in range(1, count))][:count]


def _household(number: int, seed: int) -> Household:
    draw = Random(f"{seed}-household-{number}")  # noqa: S311 - a story, not a secret
    words = people()
    name = f"{draw.choice(words['first_names'])} {draw.choice(words['last_names'])}"
    town = draw.choice(words["towns"])
    reach = draw.random()
    mobile = f"+{_FIRST_MOBILE + number}" if reach < 0.88 else ""
    email = f"{_plain(name)}{number}@kunde.example" if reach < 0.7 or 0.88 <= reach < 0.96 else ""
    habit = draw.choices(HABITS, [habit.share for habit in HABITS])[0]
    return Household(
        number=number,
        ref=f"{100000 + number}",
        name=name,
        mobile=mobile,
        email=email,
        street=f"{draw.choice(words['streets'])} {draw.randint(1, 98)}",
        town=(town["postcode"], town["city"], town["municipality"]),
        profile=draw.choices(("", "vip", "careful"), (93, 4, 3))[0],
        flags=_flags(draw),
        services=_services(draw, number),
        habit=habit,
    )


def _visitor(seed: int) -> Household:
    draw = Random(f"{seed}-household-0")  # noqa: S311
    return Household(
        number=0,
        ref="100000",
        name="Kari Nordmann",
        mobile=f"+{_FIRST_MOBILE}",
        email="kari.nordmann@kunde.example",
        street="Nordlysveien 7",
        town=("9016", "Tromsø", "Tromsø"),
        profile="",
        flags=tuple((flag, "no") for flag in LOOKED_INTO),
        services=(_broadband(draw, 0), _power(draw, 0)),
        habit=VISITOR,
    )


def _flags(draw: Random) -> tuple[tuple[str, str], ...]:
    """Mostly looked into and no; some protected, and some not looked into yet."""
    kind = draw.random()
    if kind < 0.04:
        return (("life_support", "yes"), *((flag, "no") for flag in LOOKED_INTO))
    if kind < 0.07:
        return tuple((flag, "yes" if flag == "danger_health" else "no") for flag in LOOKED_INTO)
    if kind < 0.14:
        return tuple((flag, "unknown" if flag == "danger_health" else "no") for flag in LOOKED_INTO)
    return tuple((flag, "no") for flag in LOOKED_INTO)


def _services(draw: Random, number: int) -> tuple[Supplied, ...]:
    kind = draw.random()
    if kind < 0.5:
        return (_broadband(draw, number),)
    if kind < 0.9:
        return (_power(draw, number),)
    return (_broadband(draw, number), _power(draw, number))


def _broadband(draw: Random, number: int) -> Supplied:
    plan = draw.choice(people()["broadband"])
    return Supplied(BROADBAND, f"F{100000 + number}", plan["product"], f"ONT{7000000 + number}", plan["monthly"])


def _power(draw: Random, number: int) -> Supplied:
    # 18 digits, as a Norwegian metering point's id has; 7070575 is the country's prefix
    return Supplied(
        POWER, f"7070575{10000000000 + number}", "Nettleie", f"{69700000 + number}", draw.randint(45, 140) * 1000
    )


def _plain(name: str) -> str:
    letters = name.lower().replace("æ", "ae").translate(str.maketrans("øå ", "oa."))
    return "".join(letter for letter in letters if letter.isascii())


def invoices(households: list[Household], start: date, days: int, seed: int) -> list[Invoice]:
    """Every invoice that is open on the first day or comes within the days, by the day it comes."""
    made = [invoice for household in households for invoice in _invoices(household, start, days, seed)]
    return sorted(made, key=lambda invoice: (invoice.issued, invoice.row.number))


def _invoices(household: Household, start: date, days: int, seed: int) -> Iterator[Invoice]:
    draw = Random(f"{seed}-invoices-{household.number}")  # noqa: S311
    due = start + timedelta(days=draw.randint(-12, -4) if household.habit.has_older_bills else draw.randint(1, 14))
    months = range(-1 if household.habit.has_older_bills else 0, days // 30 + 1)
    for service in household.services:
        for month in months:
            month_due = due + timedelta(days=30 * month)
            issued = max(month_due - _TERM, start) if month > 0 else month_due - _TERM
            yield Invoice(household.number, issued, _row(draw, household, service, month_due, issued))


def _row(draw: Random, household: Household, service: Supplied, due: date, issued: date) -> ClaimRow:
    number = f"{'F' if service.kind == BROADBAND else 'N'}{due:%y%m%d}{household.number:06d}"
    lines = _lines(draw, service)
    kid = f"{household.ref}{number[1:7]}{1 if service.kind == BROADBAND else 2}"
    return ClaimRow(
        account_ref=household.ref,
        number=number,
        amount=sum(line.amount for line in lines),
        currency="NOK",
        due_date=due,
        issued_date=issued,
        reference=kid + luhn.calc_check_digit(kid),
        creditor=CREDITORS[service.kind],
        service_kind=service.kind,
        lines=lines,
        customers=(_customer(household, service),),
    )


def _lines(draw: Random, service: Supplied) -> tuple[LineRow, ...]:
    if service.kind == BROADBAND:  # a quarter of the net price is VAT; private power in the north has none
        return (
            LineRow(service.monthly, f"{service.product}, en måned", vat=service.monthly // 5, service_ref=service.key),
        )
    fixed = 35000
    energy = draw.randint(service.monthly * 8 // 10, service.monthly * 12 // 10)
    return (
        LineRow(fixed, "Nettleie, fastledd", service_ref=service.key),
        LineRow(energy, "Nettleie, energiledd", service_ref=service.key),
    )


def _customer(household: Household, service: Supplied) -> Customer:
    return Customer(
        account_ref=household.ref,
        party_ref=household.ref,
        name=household.name,
        kind="person",
        language="nb",
        debtor="consumer",
        profile=household.profile,
        mobile=household.mobile,
        email=household.email,
        postal=household.postal,
        premises_ref=f"H{household.ref}",
        premises_kind="home",
        street=household.street,
        postcode=household.town[0],
        city=household.town[1],
        municipality=household.town[2],
        access_point_ref=service.key,
        meter_serial=service.serial,
        service_ref=service.key,
        service_kind=service.kind,
        product=service.product,
        driver=DRIVER,
        driver_address=json.dumps({"device": service.key}),
        full_profile=service.product,
        flags=household.flags,
    )
