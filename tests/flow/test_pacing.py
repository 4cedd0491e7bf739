"""Batches shrink where the machine has no time for them, and grow again."""

from relight.flow.pacing import BatchSize


def test_a_batch_that_held_its_locks_too_long_is_followed_by_one_that_fits() -> None:
    size = BatchSize(most=400, least=20, seconds=0.25)

    size.took(400, 1.0)

    assert size.now == 100


def test_it_is_never_smaller_than_the_least() -> None:
    size = BatchSize(most=400, least=20, seconds=0.25)

    size.took(400, 60.0)

    assert size.now == 20


def test_a_small_batch_that_took_long_does_not_make_the_next_larger() -> None:
    size = BatchSize(most=400, least=20, seconds=0.25)
    size.took(400, 2.0)

    size.took(300, 0.26)

    assert size.now == 50


def test_it_grows_again_step_by_step_and_no_further_than_the_most() -> None:
    size = BatchSize(most=400, least=20, seconds=0.25)
    size.took(400, 60.0)

    sizes = []
    for _ in range(6):
        size.took(size.now, 0.01)
        sizes.append(size.now)

    assert sizes == [40, 80, 160, 320, 400, 400]
