"""How long an instalment plan must be able to run, where a law says so (`tables.instalment_plan` of a pack)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from relight.core.money import parse_amount
from relight.core.rules.model import LawPack


def instalment_months(pack: LawPack, owed: int) -> tuple[int, int] | None:
    """The shortest and the longest plan to offer for a debt, in months; None where the pack has no table.

    `owed` is in minor units. A band reaches up to its `upto`, that sum included; the last one has no end.
    """
    tables = cast(Mapping[str, Any], pack.tables)["tables"]
    bands = cast(Sequence[Mapping[str, Any]], tables.get("instalment_plan", {}).get("bands", ()))
    for band in bands:
        if "upto" not in band or owed <= parse_amount(str(band["upto"]), pack.currency):
            shortest, longest = band["months"]
            return int(shortest), int(longest)
    return None
