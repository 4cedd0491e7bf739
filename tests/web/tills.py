"""Fixtures for the contract of payment providers: their counterparts, started once, and each provider in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counterparts.back_office import BackOffice
from tests.counterparts.localstripe import LocalStripe
from tests.counterparts.prism import Prism
from tests.counterparts.tills import AdyenTill, MollieTill, StripeTill, TestpayTill, Till, VippsTill

PROVIDERS = ("testpay", "stripe", "vipps", "mollie", "adyen")


@pytest.fixture(scope="session")
def office() -> Iterator[BackOffice]:
    with BackOffice() as running:
        yield running


@pytest.fixture(scope="session")
def prism(office: BackOffice) -> Iterator[Prism]:
    with Prism(office.url) as running:
        yield running


@pytest.fixture(scope="session")
def localstripe() -> Iterator[LocalStripe]:
    with LocalStripe() as running:
        yield running


@pytest.fixture(params=PROVIDERS)
def till(
    request: pytest.FixtureRequest, office: BackOffice, prism: Prism, localstripe: LocalStripe, tmp_path: Path
) -> Iterator[Till]:
    """Each provider at its counterpart, with nothing paid yet."""
    office.forget()
    made = {
        "testpay": lambda: TestpayTill(tmp_path / "testpay"),
        "stripe": lambda: StripeTill(localstripe, office, prism.url),
        "vipps": lambda: VippsTill(office, prism.url),
        "mollie": lambda: MollieTill(office, prism.url),
        "adyen": lambda: AdyenTill(office, prism.url),
    }
    yield made[request.param]()
    office.is_away = False
