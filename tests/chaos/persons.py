"""What persons are left to do at the end: nothing, but what Relight promises to ask of them, beside a fault."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from relight.flow.database import Tx
from tests.chaos.hosted import POISON
from tests.chaos.outages import DEVICES_AWAY, HOLDS_UP_RESTORES, LOSES_MESSAGES, Outage, beside, clock

# Of an attempt that nobody saw the end of, the end is when it was missed: a fault had to strike while it was under way.
_TASKS = """
    SELECT t.code, a.ref, t.params,
        (SELECT coalesce(bool_or(y.result = 'unknown'), false) FROM effect e JOIN attempt y ON y.effect_id = e.id
            WHERE t.dedup = 'given_up-effect-' || e.id),
        ARRAY(SELECT ARRAY[extract(epoch FROM y.started_at)::float8,
                extract(epoch FROM least(y.finished_at, y.started_at + interval '10 seconds'))::float8]
            FROM effect e JOIN attempt y ON y.effect_id = e.id WHERE y.result NOT IN ('done', 'late')
            AND t.dedup IN ('given_up-effect-' || e.id, 'not_restored-' || e.service_id))
    FROM task t LEFT JOIN account a ON a.id = t.account_id WHERE t.state = 'open' ORDER BY t.id
"""
_POISONED = "SELECT count(*) FROM account WHERE ref LIKE %(poison)s"


@dataclass(frozen=True, slots=True)
class Task:
    """Something a person has to do. `failed`: when each attempt that failed began, and ended or was ten seconds old."""

    code: str
    home: str | None
    params: dict[str, Any]
    is_end_unseen: bool
    failed: Sequence[Sequence[float]]

    @property
    def why(self) -> str:
        """What Relight promises to ask of a person; empty for anything else."""
        kind = self.params.get("kind")
        if self.code == "given_up" and kind == "supply" and str(self.home).startswith(POISON):
            return "orders_that_end_their_worker"
        if self.code == "given_up" and kind == "message" and self.is_end_unseen:
            return "messages_left_to_a_person"
        return "restores_told_to_a_person" if self.code == "not_restored" else ""

    def is_explained(self, outages: Collection[Outage]) -> bool:
        """Whether there was a fault at each attempt that failed. An order that ends its worker needs none."""
        if self.why == "orders_that_end_their_worker":
            return True
        kinds = LOSES_MESSAGES if self.why == "messages_left_to_a_person" else DEVICES_AWAY | HOLDS_UP_RESTORES
        return all(beside(began, ended, outages, kinds) for began, ended in self.failed)


def left_to_do(tx: Tx, outages: Collection[Outage]) -> tuple[list[str], dict[str, int]]:
    """What nobody should have to do, in words; and how much there is of what Relight promises to ask of a person."""
    tasks = [Task(*row) for row in tx.rows(_TASKS)]
    poisoned = tx.value(_POISONED, {"poison": f"{POISON}%"})
    wrong = [
        f"a person has to do {one.code} for {one.home}: {json.dumps(one.params)}; attempts that failed:"
        f" {', '.join(clock(*span) for span in one.failed)}"
        for one in tasks
        if not one.why or not one.is_explained(outages)
    ]
    asked = Counter(one.why for one in tasks if one.why)
    if asked.pop("orders_that_end_their_worker", 0) != poisoned:
        wrong.append(f"of {poisoned} effects that end their workers, persons have not just as many")
    return wrong, {name: asked[name] for name in ("messages_left_to_a_person", "restores_told_to_a_person")}
