"""Partners kept apart at the console: whatever address is tried, another partner's rows are not there."""

from datetime import datetime

import pytest

from relight.flow.database import Database
from tests.web.console_sample import Portfolio, fill
from tests.web.console_visitor import SignIn, Visitor

NAMES = ("Kari Nordmann", "Ola Hansen", "Amina Yusuf", "Per Pettersen", "Lars Lunde")


@pytest.fixture
def stranger(seat: SignIn, other_partner: int, portfolio: Portfolio) -> Visitor:
    """A manager of another partner, while `portfolio` is the first one's."""
    return seat("manager", at=other_partner)


def ids(db: Database, partner: int, portfolio: Portfolio) -> dict[str, int]:
    with db.transaction(partner) as tx:
        return {
            "case": portfolio.kari,
            "held": portfolio.amina,
            "hold": tx.value("SELECT id FROM hold LIMIT 1"),
            "approval": tx.value("SELECT id FROM approval LIMIT 1"),
            "task": tx.value("SELECT id FROM task WHERE code = 'cannot_reach'"),
            "message": tx.value("SELECT message_id FROM message_body WHERE pdf IS NOT NULL LIMIT 1"),
            "step": tx.value("SELECT max(number) FROM step_taken WHERE case_id = %(c)s", {"c": portfolio.kari}),
        }


ADDRESSES = [
    "cases/{case}/",
    "cases/{case}/?all=1",
    "cases/{case}/hold/",
    "cases/{case}/note/",
    "cases/{held}/holds/{hold}/end/",
    "cases/{case}/approvals/{approval}/",
    "cases/{case}/steps/{step}/void/",
    "cases/{case}/messages/{message}/letter.pdf",
    "tasks/{task}/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_another_partners_things_are_not_there(
    stranger: Visitor, db: Database, partner: int, portfolio: Portfolio, address: str
) -> None:
    seen = stranger.opens(address.format(**ids(db, partner, portfolio)))

    assert seen.status == 404
    assert not any(name in seen.html for name in NAMES)


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_same_addresses_are_there_for_their_own_partner(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio, address: str
) -> None:
    assert seat("manager").opens(address.format(**ids(db, partner, portfolio))).status == 200


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("cases/{case}/hold/", {"reason": "promise"}),
        ("cases/{case}/note/", {"note": "innbrudd"}),
        ("cases/{held}/holds/{hold}/end/", {}),
        ("cases/{case}/approvals/{approval}/", {"version": "{version}", "answer": "yes"}),
        ("cases/{case}/steps/{step}/void/", {"version": "{version}", "note": "x", "sure": "1"}),
        ("tasks/{task}/", {"state": "done"}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_nothing_is_written_at_another_partner(
    stranger: Visitor, db: Database, partner: int, portfolio: Portfolio, address: str, fields: dict[str, str]
) -> None:
    before = everything(db, partner)
    version = {"version": str(before[0])}

    seen = stranger.sends(
        address.format(**ids(db, partner, portfolio)), **{name: text.format(**version) for name, text in fields.items()}
    )

    assert seen.status == 404
    assert everything(db, partner) == before


def test_approving_several_passes_over_another_partners(
    stranger: Visitor, db: Database, partner: int, portfolio: Portfolio
) -> None:
    before = everything(db, partner)

    seen = stranger.sends(
        "approvals/approve/", chosen=f"{ids(db, partner, portfolio)['approval']}:{before[0]}", sure="1"
    )

    assert seen.has("allerede gjort av noen andre")
    assert everything(db, partner) == before


def test_lists_searches_and_figures_show_ones_own_alone(stranger: Visitor, portfolio: Portfolio) -> None:
    pages = [
        stranger.opens(path)
        for path in (
            "",
            "cases/?q=",
            "cases/?state=closed",
            "cases/?q=Kari",
            "cases/?q=12345678903",
            "tasks/",
            "approvals/",
        )
    ]
    reached = stranger.opens("cases/", q="+4790000001")

    for seen in [*pages, reached]:
        assert seen.status == 200
        assert not any(name in seen.html for name in NAMES), seen.response.url
    assert pages[0].has("<b>0</b>")


def test_a_case_of_ones_own_does_not_open_another_ones_hold_approval_or_letter(
    seat: SignIn, db: Database, partner: int, other_partner: int, portfolio: Portfolio, now: datetime
) -> None:
    own = fill(db, other_partner, now)
    theirs = ids(db, partner, portfolio)
    manager = seat("manager", at=other_partner)

    hold = manager.opens(f"cases/{own.kari}/holds/{theirs['hold']}/end/")
    approval = manager.opens(f"cases/{own.kari}/approvals/{theirs['approval']}/")
    letter = manager.opens(f"cases/{own.kari}/messages/{theirs['message']}/letter.pdf")

    assert hold.has("allerede gjort av noen andre")
    assert approval.has("allerede gjort av noen andre")
    assert letter.status == 404


def everything(db: Database, partner: int) -> tuple[object, ...]:
    """A fingerprint of what acts could have changed; the first is the newest version of any case."""
    with db.transaction(partner) as tx:
        found = tx.row(
            "SELECT (SELECT version FROM dunning_case ORDER BY id LIMIT 1), (SELECT count(*) FROM case_event),"
            " (SELECT array_agg(state ORDER BY id) FROM approval), (SELECT array_agg(state ORDER BY id) FROM task),"
            " (SELECT array_agg(ends_at ORDER BY id) FROM hold), (SELECT count(voided_at) FROM step_taken)"
        )
    assert found
    return tuple(found)
