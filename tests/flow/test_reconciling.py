"""Settlements that cannot be read are counted, so that somebody is told; a day that is not complete yet is not."""

from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.drivers.testpay import TestProvider
from relight.flow.database import Database
from relight.flow.payments import reconciling
from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.port import CannotReconcile, ProviderUnavailable
from relight.telemetry import metrics
from tests.flow.paying import with_testpay

DAY = timedelta(days=1)
ROUND = timedelta(hours=1)


@pytest.fixture
def settled(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> TestProvider:
    """The only partner with a provider, whose days have been compared up to the day before yesterday."""
    owner.execute("UPDATE partner SET driver_settings = '{}'")
    made = with_testpay(owner, partner, tmp_path)
    settings = {"testpay": {"secret": f"whsec-{partner}", "folder": str(tmp_path)}}
    reconciling.reconcile_day(db, partner, settings, "testpay", now.date() - 2 * DAY, now)
    return made


def failures(error: str) -> float:
    """How many failures of the loop were counted."""
    return float(metrics.LOOP_FAILURES.labels("settlements", error)._value.get())


def raises(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Whatever day the provider is asked for."""

    def reconcile(self: TestProvider, day: date, now: datetime) -> None:
        raise error

    monkeypatch.setattr(TestProvider, "reconcile", reconcile)


@pytest.mark.parametrize("error", [ValueError("a key is missing"), NoSuchProvider("it is not installed any more")])
def test_settings_that_a_provider_cannot_be_asked_with_are_a_failure_each_time(
    settled: TestProvider, db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    raises(monkeypatch, error)
    before = failures(type(error).__name__)

    for hour in range(3):
        reconciling.reconcile_due(db, now + hour * ROUND)

    assert failures(type(error).__name__) == before + 3


def test_a_day_that_cannot_be_had_is_a_failure_once_it_should_be_complete(
    settled: TestProvider, db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    raises(monkeypatch, ProviderUnavailable("the day is not complete yet"))
    before = failures("ProviderUnavailable")
    reconciling.reconcile_due(db, now)
    next_morning = failures("ProviderUnavailable")

    reconciling.reconcile_due(db, now + DAY)
    reconciling.reconcile_due(db, now + DAY + ROUND)

    assert next_morning == before
    assert failures("ProviderUnavailable") == before + 2


def test_settlements_that_nobody_asked_to_read_are_no_failure(
    settled: TestProvider, db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    raises(monkeypatch, CannotReconcile("set report_user to read settlements"))
    before = failures("CannotReconcile")

    reconciling.reconcile_due(db, now + 3 * DAY)

    assert failures("CannotReconcile") == before


def test_days_that_can_be_read_are_compared_and_count_nothing(
    settled: TestProvider, db: Database, now: datetime
) -> None:
    done = reconciling.reconcile_due(db, now + 2 * DAY)

    assert [one.day for one in done] == [now.date() - DAY, now.date(), now.date() + DAY]
    assert reconciling.reconcile_due(db, now + 2 * DAY) == []
