"""Numbers used twice in one file are told apart, by the million, in little memory."""

from hypothesis import given
from hypothesis import strategies as st

from relight.flow.claims.seen import Seen, SeenNumbers


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3))))
def test_it_remembers_like_a_dictionary(rows: list[tuple[str, int]]) -> None:
    seen, plain = SeenNumbers(), dict[str, int]()

    for key, content in rows:
        answer = seen.see(key, content)

        first = plain.setdefault(key, content) if key in plain else None
        plain.setdefault(key, content)
        assert answer is (Seen.NEW if first is None else Seen.SAME if first == content else Seen.DIFFERENT)


def test_it_grows_and_forgets_nothing() -> None:
    seen = SeenNumbers()
    numbers = [f"F{at}" for at in range(50_000)]

    assert all(seen.see(number, number) is Seen.NEW for number in numbers)
    assert all(seen.see(number, number) is Seen.SAME for number in numbers)
    assert all(seen.see(number, "other") is Seen.DIFFERENT for number in numbers)
