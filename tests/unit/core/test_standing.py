"""What counts of a case's claims, and when arrears are cured."""

import pytest

from relight.core.facts import CaseFacts
from relight.core.standing import has_opened, is_clear, last_step, services_to_cut, standing
from tests.unit.core.cases import NET, PHONE, at, case, claim, hold, policy, service, step


def overdue(facts: CaseFacts, number: int = 30) -> list[int]:
    return [one.id for one in standing(facts, at(number)).overdue]


def test_the_due_date_itself_is_still_in_time() -> None:
    facts = case(claims=(claim(due=10),))

    assert overdue(facts, 10) == []
    assert overdue(facts, 11) == [1]


def test_the_day_turns_at_midnight_where_the_partner_is() -> None:
    facts = case(claims=(claim(due=10),))

    assert standing(facts, at(10, 23, 59)).overdue == ()
    assert len(standing(facts, at(11, 0)).overdue) == 1


def test_a_disputed_part_is_left_out_and_the_rest_is_followed_up() -> None:
    facts = case(claims=(claim(1, 79900, disputed=30000), claim(2, 10000, disputed=10000)))

    stands = standing(facts, at(30))

    assert stands.countable == {1: 49900, 2: 0}
    assert stands.arrears == 49900
    assert overdue(facts) == [1]


def test_a_hold_on_a_claim_takes_it_out_and_one_on_an_amount_takes_that_much() -> None:
    whole = case(claims=(claim(1), claim(2)), holds=(hold("dispute", claim_id=1),))
    part = case(claims=(claim(1, 79900),), holds=(hold("dispute", claim_id=1, amount=70000),))

    assert overdue(whole) == [2]
    assert standing(part, at(30)).arrears == 9900


def test_costs_count_beside_principal_or_when_no_principal_is_left() -> None:
    facts = case(claims=(claim(1, 1000, costs=35), claim(2, 0, costs=35), claim(3, 1000, disputed=1000, costs=35)))

    assert overdue(facts) == [1, 2]
    assert standing(facts, at(30)).arrears == 1035 + 35


def test_progress_is_of_the_claim_and_one_that_joined_later_has_none() -> None:
    facts = case(claims=(claim(1), claim(2)), steps=(step("friendly", 1, 2, of=(1,)), step("notice", 2, 9, of=(1,))))

    taken = last_step(1, facts)

    assert taken is not None
    assert taken.step == "notice"
    assert last_step(2, facts) is None


@pytest.mark.parametrize(
    ("rule", "claims", "clear"),
    [
        ("zero", (claim(1, 100, due=0),), False),
        ("zero", (claim(1, 0, costs=35, due=0),), False),
        ("zero", (claim(1, 100, due=40),), True),
        ("past_due", (claim(1, 100, due=0),), False),
        ("past_due", (claim(1, 0, costs=35, due=0),), True),
        ("latest_claim", (claim(1, 100, due=0), claim(2, 100, due=20)), False),
        ("latest_claim", (claim(2, 100, due=20),), True),
        ("latest_claim", (claim(1, 100, due=0), claim(2, 100, due=40)), False),
    ],
)
def test_arrears_are_cured_by_the_policys_rule(rule: str, claims: tuple[object, ...], clear: bool) -> None:
    facts = case(claims=claims)

    assert is_clear(facts, standing(facts, at(30)), rule) is clear


def test_for_one_service_the_newest_claim_is_the_newest_of_that_service() -> None:
    claims = (claim(1, due=0, of=(NET,)), claim(2, due=20, of=(PHONE,)))
    facts = case(claims=claims, services=(service(NET), service(PHONE)))
    stands = standing(facts, at(30))

    assert is_clear(facts, stands, "latest_claim", service(NET))
    assert is_clear(facts, stands, "latest_claim", service(PHONE))


def test_a_claim_of_another_service_keeps_nobody_cut_off() -> None:
    facts = case(claims=(claim(1, of=(PHONE,)),), services=(service(NET), service(PHONE)))
    stands = standing(facts, at(30))

    assert is_clear(facts, stands, "zero", service(NET))
    assert not is_clear(facts, stands, "zero", service(PHONE))


def test_only_the_unpaid_service_that_a_driver_reaches_and_the_policy_is_about_may_be_cut() -> None:
    facts = case(
        claims=(claim(1, of=(NET, PHONE)),),
        services=(
            service(NET),
            service(PHONE, controllable=False),
            service(3, kind="broadband"),
            service(4, kind="water"),
        ),
    )
    stands = standing(facts, at(30))

    found = services_to_cut(stands.overdue, facts, policy(), stands)

    assert [one.id for one in found] == [NET]


def test_a_service_whose_cut_would_be_given_back_at_once_is_not_to_be_cut() -> None:
    facts = case(claims=(claim(1),))
    stands = standing(facts, at(30))

    assert services_to_cut(stands.overdue, facts, policy(restore="latest_claim"), stands) == ()


def test_a_case_opens_when_arrears_are_old_and_large_enough() -> None:
    ripe, young = case(claims=(claim(due=0),)), case(claims=(claim(due=28),))
    small = case(claims=(claim(1, 9999, due=0),))

    assert has_opened(policy(), ripe, standing(ripe, at(2)))
    assert not has_opened(policy(), young, standing(young, at(29)))
    assert not has_opened(policy(), small, standing(small, at(30)))
