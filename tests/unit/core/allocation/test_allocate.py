"""Which claims money pays: by what the payer says, by the law of the country, and with nothing lost on the way."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.allocation.allocate import Allocated, Line, Money, Naming, OpenClaim, allocate
from relight.core.allocation.rule import KINDEST, AllocationRule, Kind, allocation_rule
from relight.core.rules.reader import packaged_pack

KINDS: list[Kind] = ["costs", "interest", "principal"]
BY_LAW = AllocationRule(("costs", "interest", "principal"))
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


def bill(id_: int, due: date, *, costs: int = 0, interest: int = 0, principal: int = 0) -> OpenClaim:
    lines = (Line("costs", costs), Line("interest", interest), Line("principal", principal))
    return OpenClaim(id_, due, lines, frozenset({f"F{id_}", f"KID{id_}"}))


def paid(result: Allocated) -> dict[tuple[int, str], int]:
    """What each claim got, by kind."""
    sums: dict[tuple[int, str], int] = {}
    for share in result.shares:
        sums[share.claim, share.kind] = sums.get((share.claim, share.kind), 0) + share.amount
    return sums


OLD, NEW = bill(1, MARCH, costs=70, interest=30, principal=900), bill(2, APRIL, costs=50, interest=10, principal=500)


def test_dutch_money_pays_costs_then_interest_then_principal_of_the_oldest_claim() -> None:
    result = allocate([Money(1, 150)], [NEW, OLD], allocation_rule(packaged_pack("nl")))

    assert paid(result) == {(1, "costs"): 70, (1, "interest"): 30, (1, "principal"): 50}
    assert result.over == {1: 0}


def test_norwegian_money_pays_the_bill_itself_first_so_that_nobody_is_cut_for_a_fee() -> None:
    result = allocate([Money(1, 950)], [NEW, OLD], allocation_rule(packaged_pack("no")))

    assert paid(result) == {(1, "principal"): 900, (1, "interest"): 30, (1, "costs"): 20}


def test_money_can_pay_all_costs_before_any_principal() -> None:
    by_kind = AllocationRule(("costs", "interest", "principal"), first="kind")

    result = allocate([Money(1, 140)], [NEW, OLD], by_kind)

    assert paid(result) == {(1, "costs"): 70, (2, "costs"): 50, (1, "interest"): 20}


def test_the_bill_that_the_payer_names_is_paid_though_another_is_older() -> None:
    result = allocate([Money(1, 560, (Naming("KID2"),))], [OLD, NEW], BY_LAW)

    assert paid(result) == {(2, "costs"): 50, (2, "interest"): 10, (2, "principal"): 500}


def test_a_payer_may_name_several_bills_and_how_much_is_for_each() -> None:
    named = (Naming("F2", 100), Naming("F1", 200))

    result = allocate([Money(1, 300, named)], [OLD, NEW], KINDEST)

    assert paid(result) == {(2, "principal"): 100, (1, "principal"): 200}


def test_a_payer_may_say_that_it_is_for_the_principal_and_not_for_the_costs() -> None:
    result = allocate([Money(1, 100, (Naming("F1", kind="principal"),))], [OLD], BY_LAW)

    assert paid(result) == {(1, "principal"): 100}


def test_what_is_left_of_a_named_bill_pays_the_oldest_and_what_is_left_then_is_the_customers() -> None:
    result = allocate([Money(1, 2_000, (Naming("F2"),))], [OLD, NEW], BY_LAW)

    assert sum(share.amount for share in result.shares) == 1_560
    assert [share.claim for share in result.shares] == [2, 2, 2, 1, 1, 1]
    assert result.over == {1: 440}


def test_only_what_is_named_is_paid_when_the_rest_is_to_be_kept() -> None:
    result = allocate([Money(1, 2_000, (Naming("F2"),))], [OLD, NEW], BY_LAW, spend_rest=False)

    assert {share.claim for share in result.shares} == {2}
    assert result.over == {1: 1_440}


def test_a_name_that_no_open_bill_has_pays_nothing_by_name_and_is_not_guessed() -> None:
    result = allocate([Money(7, 100, (Naming("F99"),))], [OLD], BY_LAW, spend_rest=False)

    assert result.shares == ()
    assert result.over == {7: 100}


def test_a_later_payment_that_names_a_bill_comes_before_an_earlier_one_that_names_none() -> None:
    result = allocate([Money(1, 560), Money(2, 560, (Naming("F2"),))], [NEW, OLD], BY_LAW)

    assert {share.claim for share in result.shares if share.money == 2} == {2}
    assert {share.claim for share in result.shares if share.money == 1} == {1}


def test_two_bills_due_on_one_day_are_paid_in_the_order_in_which_they_came_in() -> None:
    result = allocate([Money(1, 10)], [bill(9, MARCH, principal=10), bill(3, MARCH, principal=10)], KINDEST)

    assert paid(result) == {(3, "principal"): 10}


@pytest.mark.parametrize(
    ("country", "order", "law"),
    [
        ("no", ("principal", "interest", "costs"), "1999-08-19"),
        ("nl", ("costs", "interest", "principal"), "BW 6:44"),
        ("de", ("costs", "interest", "principal"), "BGB § 367"),
        ("dk", ("principal", "interest", "costs"), ""),
        ("se", ("principal", "interest", "costs"), ""),
        ("gb", ("principal", "interest", "costs"), ""),
    ],
)
def test_each_country_has_its_order_and_the_kindest_where_no_law_was_read(
    country: str, order: tuple[Kind, ...], law: str
) -> None:
    rule = allocation_rule(packaged_pack(country))

    assert (rule.order, rule.first) == (order, "claim")
    assert law in rule.law


@pytest.mark.parametrize("order", [("costs",), ("costs", "costs", "principal"), ("costs", "fees", "principal")])
def test_an_order_that_leaves_something_out_is_none(order: tuple[Kind, ...]) -> None:
    with pytest.raises(ValueError, match="each once"):
        AllocationRule(order)


@pytest.mark.parametrize(
    ("money", "claims"),
    [
        ([Money(1, 0)], []),
        ([Money(1, -5)], []),
        ([Money(1, 5), Money(1, 5)], []),
        ([Money(1, 5)], [bill(1, MARCH), bill(1, APRIL)]),
        ([Money(1, 5)], [bill(1, MARCH, costs=-1)]),
        ([Money(1, 5, (Naming("F1", -1),))], []),
    ],
)
def test_nonsense_is_refused_before_anything_is_shared_out(money: list[Money], claims: list[OpenClaim]) -> None:
    with pytest.raises(ValueError, match=r"twice|above zero|less than nothing"):
        allocate(money, claims, BY_LAW)


rules = st.builds(AllocationRule, st.permutations(KINDS).map(tuple), st.sampled_from(["claim", "kind"]))
lines = st.lists(st.builds(Line, st.sampled_from(KINDS), st.integers(0, 5_000)), max_size=5).map(tuple)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[list[Money], list[OpenClaim]]:
    """Some open claims, two of which may share a name, and payments that name some of them or none."""
    claims = [
        OpenClaim(id_, MARCH + timedelta(days=draw(st.integers(0, 3))), draw(lines), frozenset({f"F{id_}", shared}))
        for id_ in draw(st.lists(st.integers(1, 9), max_size=5, unique=True))
        for shared in [draw(st.sampled_from(["A", "B"]))]
    ]
    names = st.sampled_from([name for claim in claims for name in sorted(claim.names)] + ["unknown"])
    naming = st.builds(Naming, names, st.none() | st.integers(0, 5_000), st.none() | st.sampled_from(KINDS))
    money = [
        Money(id_, draw(st.integers(1, 10_000)), tuple(draw(st.lists(naming, max_size=3))))
        for id_ in range(1, 1 + draw(st.integers(0, 4)))
    ]
    return money, claims


@given(accounts(), rules, st.booleans())
def test_nothing_is_lost_and_nobody_pays_more_than_is_owed(
    account: tuple[list[Money], list[OpenClaim]], rule: AllocationRule, spend_rest: bool
) -> None:
    money, claims = account

    result = allocate(money, claims, rule, spend_rest=spend_rest)

    for one in money:
        spent = sum(share.amount for share in result.shares if share.money == one.id)
        assert spent + result.over[one.id] == one.amount
        assert result.over[one.id] >= 0
    for claim in claims:
        for at, line in enumerate(claim.lines):
            got = [share for share in result.shares if (share.claim, share.line) == (claim.id, at)]
            assert sum(share.amount for share in got) <= line.owed
            assert {share.kind for share in got} <= {line.kind}
    assert all(share.amount > 0 for share in result.shares)
    assert len({(share.money, share.claim, share.line) for share in result.shares}) == len(result.shares)


@given(accounts(), rules)
def test_money_is_left_over_only_when_everything_is_paid(
    account: tuple[list[Money], list[OpenClaim]], rule: AllocationRule
) -> None:
    money, claims = account

    result = allocate(money, claims, rule)

    owed = sum(line.owed for claim in claims for line in claim.lines)
    assert sum(result.over.values()) == max(0, sum(one.amount for one in money) - owed)


@given(accounts(), rules, st.integers(1, 30_000))
def test_no_line_is_begun_before_those_that_come_first_are_paid(
    account: tuple[list[Money], list[OpenClaim]], rule: AllocationRule, amount: int
) -> None:
    _, claims = account

    result = allocate([Money(1, amount)], claims, rule)

    got = {(share.claim, share.line): share.amount for share in result.shares}
    in_order = sorted(
        ((claim, at, line) for claim in claims for at, line in enumerate(claim.lines)),
        key=lambda it: (
            (it[0].due_date, it[0].id, rule.order.index(it[2].kind), it[1])
            if rule.first == "claim"
            else (rule.order.index(it[2].kind), it[0].due_date, it[0].id, it[1])
        ),
    )
    full = [got.get((claim.id, at), 0) == line.owed for claim, at, line in in_order]
    untouched = [(claim.id, at) not in got for claim, at, _ in in_order]
    first_short = full.index(False) if False in full else len(full)
    assert all(untouched[first_short + 1 :])


@given(accounts(), rules)
def test_the_payers_reference_wins(account: tuple[list[Money], list[OpenClaim]], rule: AllocationRule) -> None:
    money, claims = account

    result = allocate(money, claims, rule)

    for one in money[:1]:  # of the first payment nobody has taken anything away
        for naming in one.named[:1]:
            lines = [
                (claim.id, at, line.owed)
                for claim in claims
                if naming.name in claim.names
                for at, line in enumerate(claim.lines)
                if naming.kind in (None, line.kind)
            ]
            wanted = min(
                one.amount, sum(owed for _, _, owed in lines), *([] if naming.amount is None else [naming.amount])
            )
            named = {(claim, at) for claim, at, _ in lines}
            assert sum(s.amount for s in result.shares if s.money == one.id and (s.claim, s.line) in named) >= wanted


@given(accounts(), rules)
def test_the_same_account_is_always_shared_out_in_the_same_way(
    account: tuple[list[Money], list[OpenClaim]], rule: AllocationRule
) -> None:
    money, claims = account

    assert allocate(money, claims, rule) == allocate(money, claims[::-1], rule)
