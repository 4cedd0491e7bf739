"""Only a policy that its law packs prove goes live; what is refused says why, and changes nothing."""

from pathlib import Path

import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.policies import UnusablePolicy
from relight.flow.database import Database
from relight.flow.road.publishing import UnableToPublish, publish

WRONG = Path(__file__).parents[1] / "policies" / "wrong"


def in_force(db: Database, partner: int) -> list[tuple[str, int]]:
    with db.transaction(partner) as tx:
        return [(r[0], r[1]) for r in tx.rows("SELECT name, version FROM policy_version WHERE retired_at IS NULL")]


def put(db: Database, partner: int, text: str) -> int | None:
    with db.transaction(partner) as tx:
        return publish(tx, text, actor="Kari", now=db.clock())


def test_a_proved_policy_goes_live_once(db: Database, partner: int) -> None:
    text = packaged_text("broadband-no")

    assert put(db, partner, text)
    assert put(db, partner, text) is None
    assert in_force(db, partner) == [("broadband-no", 1)]
    assert put(db, partner, text.replace("max_per_7_days: 5", "max_per_7_days: 4"))
    assert in_force(db, partner) == [("broadband-no", 2)]


@pytest.mark.parametrize("file", sorted(WRONG.glob("no-*.yaml")), ids=lambda file: file.stem)
def test_an_unlawful_policy_is_refused_with_step_and_section(db: Database, partner: int, file: Path) -> None:
    with pytest.raises(UnableToPublish) as refused:
        put(db, partner, file.read_text())

    assert in_force(db, partner) == []
    for one in refused.value.proof.findings:
        assert one.law in str(refused.value)
        assert one.step in str(refused.value)


def test_an_unlawful_change_leaves_the_old_version_in_force(db: Database, partner: int) -> None:
    text = packaged_text("power-grid-no")
    put(db, partner, text)

    with pytest.raises(UnableToPublish, match="settle"):
        put(db, partner, text.replace("settle: 3 working days", "settle: 1 day"))
    with pytest.raises(UnusablePolicy, match="line 1"):
        put(db, partner, "polic: x\n")
    assert in_force(db, partner) == [("power-grid-no", 1)]
