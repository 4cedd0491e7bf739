"""From a released effect to a package for an agency: what is given away is kept, gathered, and written down.

What was kept at the first attempt is what every later one says.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from relight.flow.database import Tx, statements
from relight.flow.handover.port import Document, Package

SQL = statements(__package__, "packages.sql")
FORMAT = "relight.handover/1"

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hand-over effect on its way out. `claims` are those to give away, with the principal that counts."""

    effect_id: int
    what: str
    params: Mapping[str, Any]
    claims: Sequence[tuple[int, int]] = ()


def prepare(tx: Tx, wanted: Sequence[Wanted], now: datetime) -> dict[int, Package]:
    """Keep what is given away, and write the packages, by effect. The caller holds the accounts' locks."""
    if not wanted:
        return {}
    placing = [(one.effect_id, claim, principal) for one in wanted if one.what == "place"
               for claim, principal in one.claims]  # fmt: skip
    if placing:
        effects, claims, principals = (list(column) for column in zip(*placing, strict=True))
        tx.run(SQL.place, {
            "partner": tx.partner_id, "effects": sorted(set(effects)), "of_effects": effects, "claims": claims,
            "principals": principals, "now": now,
        })  # fmt: skip
    heads = {row[0]: row[1:] for row in tx.rows(SQL.heads, {"effects": [one.effect_id for one in wanted]})}
    known = _Known(tx, sorted({head[0] for head in heads.values()}), now)
    return {one.effect_id: known.package(one, heads[one.effect_id]) for one in wanted if one.effect_id in heads}


class _Known:
    """What the packages of a batch are made of, by hand-over."""

    def __init__(self, tx: Tx, handovers: Sequence[int], now: datetime):
        names = ("claims", "people", "notices", "taken_over", "payments")
        answers = tx.many([getattr(SQL, name) for name in names], {"handovers": list(handovers), "now": now})
        self.claims, self.people, self.notices, self.taken_over, self.payments = map(_by_first, answers)

    def package(self, one: Wanted, head: Row) -> Package:
        """One effect's package."""
        (id_, ref, created_at, currency, agency_case, agency, partner, country, creditor, org_number, bank_account,
         account, debtor, policy, services) = head  # fmt: skip
        body = {
            "format": FORMAT,
            "what": one.what,
            "case": ref,
            "agency": agency,
            "agency_case": agency_case,
            "currency": currency,
            "account": account,
            "claims": [_claim(row) for row in self.claims.get(id_, ())],
        }
        if one.what != "place":
            owed, payments = one.params.get("owed", 0), [_payment(row) for row in self.payments.get(id_, ())]
            why = {"why": one.params.get("why", "")} if one.what == "recall" else {}
            return Package(one.what, ref, {**body, **why, "owed": owed, "paid_to_creditor": payments})
        notices = self.notices.get(id_, ())
        body |= {
            "handed_over_at": created_at.isoformat(),
            "country": country,
            "creditor": {"name": creditor, "org_number": org_number, "bank_account": bank_account, "partner": partner},
            "debtor": debtor,
            "people": [_person(row) for row in self.people.get(id_, ())],
            "policy": policy,
            "services": list(services),
            "total": sum(claim["principal"] + claim["costs"] + claim["interest"] for claim in body["claims"]),
            "notices": [_notice(row) for row in notices],
            "taken_over_notices": [_taken_over(row) for row in self.taken_over.get(id_, ())],
        }
        return Package(one.what, ref, body, tuple(document for row in notices for document in _documents(row)))


def _by_first(rows: Sequence[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row[1:])
    return grouped


def _claim(row: Row) -> dict[str, Any]:
    names = ("number", "reference", "service", "issued_date", "due_date", "amount", "principal", "costs", "interest",
             "owed_now", "lines")  # fmt: skip
    return {**{name: _plain(value) for name, value in zip(names, row, strict=True)}, "lines": row[-1] or []}


def _person(row: Row) -> dict[str, Any]:
    role, name, kind, org_number, language, contacts = row
    return {"role": role, "name": name, "kind": kind, "org_number": org_number, "language": language,
            "contacts": contacts or []}  # fmt: skip


def _notice(row: Row) -> dict[str, Any]:
    names = ("id", "step", "template", "channel", "language", "amount", "pay_by_date", "released_at", "sent_at",
             "delivered_at", "undeliverable_at", "provider_ids", "recipient", "subject")  # fmt: skip
    documents = [document.name for document in _documents(row)]
    return {**{name: _plain(value) for name, value in zip(names, row, strict=False)}, "documents": documents}


def _taken_over(row: Row) -> dict[str, Any]:
    names = ("step", "decided_at", "completed_at", "pay_by_date", "proof")
    return {name: _plain(value) for name, value in zip(names, row, strict=True)}


def _payment(row: Row) -> dict[str, Any]:
    return {"payment": row[0], "date": row[1].isoformat(), "amount": row[2]}


def _documents(row: Row) -> list[Document]:
    """The notice as the customer got it: the letter, or the words; none where they have been erased."""
    id_, template, text, pdf = row[0], row[2], row[14], row[15]
    found = [Document(f"notice-{id_}-{template}.txt", text.encode())] if text else []
    return [*found, Document(f"notice-{id_}-{template}.pdf", bytes(pdf))] if pdf else found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
