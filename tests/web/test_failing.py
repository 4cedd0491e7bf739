"""While the database is away, and when something of ours breaks: an answer without a stack, that says to try again."""

import httpx
import psycopg
import pytest

from relight.telemetry.metrics import WEBHOOKS
from relight.web.webhooks import views


def counted(provider: str, answer: int) -> float:
    """How many webhooks were answered so: what `RelightWebhooksFail` looks at."""
    return float(WEBHOOKS.labels(provider, answer)._value.get())


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch, site: str) -> str:
    """The site, whose database has gone: its connections are refused. Each request makes one of its own here."""
    from django.db import connections

    monkeypatch.setitem(connections.databases["default"], "HOST", "127.0.0.1")
    monkeypatch.setitem(connections.databases["default"], "PORT", "1")
    monkeypatch.setattr(views, "database", lambda: psycopg.connect("host=127.0.0.1 port=1"))
    return site


def test_a_provider_is_told_to_come_again(database_away: str) -> None:
    before = counted("unknown", 503)
    answer = httpx.post(f"{database_away}/webhooks/nordlys/testpay", content=b"{}", timeout=60, trust_env=False)

    assert counted("unknown", 503) == before + 1
    assert answer.status_code == 503
    assert answer.json() == {"error": "not on record: try again"}
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("accepted", "language", "said"),
    [("nn-NO,en;q=0.5", "nb", "Prøv igjen om litt"), ("fr", "en", "Try again"), ("nl-BE", "nl", "Probeer het")],
)
def test_an_agent_is_told_in_a_language_of_theirs(database_away: str, accepted: str, language: str, said: str) -> None:
    answer = httpx.get(f"{database_away}/console/", headers={"Accept-Language": accepted}, timeout=60, trust_env=False)

    assert answer.status_code == 503
    assert f'lang="{language}"' in answer.text
    assert said in answer.text
    assert "Traceback" not in answer.text
    assert 'href="/console/"' in answer.text


def test_a_fault_of_ours_is_not_blamed_on_the_database(monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    def breaks() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(views, "database", breaks)

    before = counted("unknown", 500)
    answer = httpx.post(f"{site}/webhooks/nordlys/testpay", content=b"{}", timeout=60, trust_env=False)

    assert counted("unknown", 500) == before + 1
    assert answer.status_code == 500
    assert "a fault" not in answer.text
