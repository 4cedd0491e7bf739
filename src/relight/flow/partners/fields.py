"""How every stage declares its tables: rows belong to a partner, and rows point only at rows of the same partner.

Django declares the columns; the `Tenancy` operation (tenancy.py) makes the primary key `(partner_id, id)`, the
composite foreign keys and the row-level security from them, so that the database itself keeps partners apart.
"""

from typing import Any

from django.db import models
from django.db.models import Q


def link(to: str, *, index: bool = False, null: bool = False) -> "models.ForeignKey[Any, Any]":
    """A reference to another row of the same partner; the composite constraint comes from `Tenancy`."""
    return models.ForeignKey(
        to, on_delete=models.DO_NOTHING, db_constraint=False, db_index=index, related_name="+", null=null
    )


def one_of(field: str, *values: str) -> models.CheckConstraint:
    """A text column that only ever holds one of `values`; name it in Meta.constraints with `named`."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=f"%(class)s_{field}")


def period(*, start: str = "starts_at", end: str = "ends_at") -> models.CheckConstraint:
    """A half-open period never ends before it starts."""
    return models.CheckConstraint(
        condition=Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gte": models.F(start)}), name="%(class)s_period"
    )


class PartnerRow(models.Model):
    """A row that belongs to one partner. Reading it needs `relight.partner` set for the transaction."""

    partner = models.ForeignKey(
        "relight_partners.Partner", on_delete=models.DO_NOTHING, db_index=False, related_name="+"
    )

    class Meta:
        abstract = True
