"""How long an instalment plan must be able to run, where a law says so (`tables.instalment_plan` of a pack)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from relight.core.money import parse_amount
from relight.core.rules.model import LawPack, PlanBand

TABLE = "instalment_plan"


def plan_bands(tables: Mapping[str, Any], name: str, currency: str) -> tuple[PlanBand, ...]:
    """The bands of a pack's table of plans, from the smallest debt up; empty where there is no such table."""
    bands = cast(Sequence[Mapping[str, Any]], tables.get(name, {}).get("bands", ()))
    return tuple(
        PlanBand(parse_amount(str(band["upto"]), currency) if "upto" in band else None, *map(int, band["months"]))
        for band in bands
    )


def instalment_months(pack: LawPack, owed: int) -> tuple[int, int] | None:
    """The shortest and the longest plan to offer for a debt of `owed` minor units, in months; None where the pack has
    no table."""
    tables = cast(Mapping[str, Any], pack.tables)["tables"]
    band = band_of(plan_bands(tables, TABLE, pack.currency), owed)
    return (band.shortest, band.longest) if band else None


def band_of(bands: Sequence[PlanBand], owed: int) -> PlanBand | None:
    """The band that a debt falls into."""
    return next((band for band in bands if band.upto is None or owed <= band.upto), None)
