"""Only a policy that its law packs prove goes live; what is refused says why, and changes nothing."""

from collections import Counter
from pathlib import Path

import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.cases.policies import UnusablePolicy, versions
from relight.flow.database import Database
from relight.flow.road.publishing import UnableToChoose, UnableToPublish, publish_at_once
from relight.flow.road.rollout import share_out
from tests.flow import factories

KARI = operator("root", "Kari")
WRONG = Path(__file__).parents[1] / "policies" / "wrong"


def in_force(db: Database, partner: int) -> list[tuple[str, int]]:
    with db.transaction(partner) as tx:
        return [(r[0], r[1]) for r in tx.rows("SELECT name, version FROM policy_version WHERE retired_at IS NULL")]


def put(db: Database, partner: int, text: str, **options: int) -> int | None:
    with db.transaction(partner) as tx:
        laid = publish_at_once(tx, text, by=KARI, now=db.clock(), **options)
        return laid.version if laid else None


def another(text: str) -> str:
    """Nearly the same, with another hash."""
    return text.replace("max_per_7_days: 5", "max_per_7_days: 4")


def cases_by_version(db: Database, partner: int, count: int) -> Counter[int]:
    """The versions that so many new customers' cases got."""
    now = db.clock()
    with db.transaction(partner) as tx:
        accounts = [factories.make_account(tx, now) for _ in range(count)]
        for account in accounts:
            factories.make_claim(tx, account, now)
        opened = open_cases(tx, [account.id for account in accounts], now)
        rows = tx.rows(
            "SELECT v.version FROM dunning_case c JOIN policy_version v ON v.id = c.policy_version_id"
            " WHERE c.id = ANY (%(ids)s)",
            {"ids": opened},
        )
    return Counter(row[0] for row in rows)


def test_a_proved_policy_goes_live_once(db: Database, partner: int) -> None:
    text = packaged_text("broadband-no")

    assert put(db, partner, text)
    assert put(db, partner, text) is None
    assert in_force(db, partner) == [("broadband-no", 1)]
    assert put(db, partner, another(text))
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

    with pytest.raises(UnableToPublish, match="approval: person"):
        put(db, partner, text.replace("    approval: person\n", ""))
    with pytest.raises(UnusablePolicy, match="line 1"):
        put(db, partner, "polic: x\n")
    assert in_force(db, partner) == [("power-grid-no", 1)]


def test_a_second_policy_for_the_same_customers_needs_a_priority(db: Database, partner: int) -> None:
    text = packaged_text("broadband-no")
    rival = text.replace("policy: broadband-no", "policy: pilot")
    put(db, partner, text)

    with pytest.raises(UnableToChoose, match=r"broadband-no.*--priority"):
        put(db, partner, rival)
    assert put(db, partner, rival, priority=1)
    assert put(db, partner, packaged_text("broadband-business-no"))
    assert {name for name, _ in in_force(db, partner)} == {"broadband-no", "pilot", "broadband-business-no"}


def test_a_version_is_tried_on_a_share_of_new_cases_before_it_gets_all(db: Database, partner: int) -> None:
    text = packaged_text("broadband-no")
    put(db, partner, text)
    put(db, partner, another(text), share=20)

    tried = cases_by_version(db, partner, 200)
    with db.transaction(partner) as tx:
        assert share_out(tx, "broadband-no", 100, by=KARI, now=db.clock()).version == 2
    later = cases_by_version(db, partner, 20)

    assert 20 <= tried[2] <= 60
    assert tried[1] + tried[2] == 200
    assert later == {2: 20}
    with db.transaction(partner) as tx:
        newest, oldest = versions(tx, "broadband-no")
    assert (newest.share, newest.retired_at, newest.cases) == (100, None, tried[2] + 20)
    assert oldest.retired_at is not None
    assert oldest.cases == tried[1]


def test_a_third_version_takes_the_place_of_the_one_that_was_tried(db: Database, partner: int) -> None:
    text = packaged_text("broadband-no")
    put(db, partner, text)
    put(db, partner, another(text), share=20)
    put(db, partner, text.replace("max_per_7_days: 5", "max_per_7_days: 3"), share=50)

    assert sorted(in_force(db, partner)) == [("broadband-no", 1), ("broadband-no", 3)]
    with db.transaction(partner) as tx, pytest.raises(UnableToFind, match="no-such"):
        share_out(tx, "no-such", 50, by=KARI, now=db.clock())
