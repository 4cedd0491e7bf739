"""Every page that a customer meets, with facts that could be true: for looking at, for axe, for other browser tests.

`python tests/browser/samples.py FOLDER` writes them as files.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from relight.flow.messages.context import LANGUAGES, Brand, ClaimItem
from relight.web.paypages import contexts as page
from relight.web.paypages.render import render_page

NONCE = "c2FtcGxl"
BRAND = Brand("Fjordnett", "fjordnett.no", "55 00 00 00", email="hei@fjordnett.no", colour="#0b6e4f")
PAID_AT = datetime(2026, 12, 6, 3, 12, tzinfo=ZoneInfo("Europe/Oslo"))


@dataclass(frozen=True)
class Sample:
    """One page to look at: a name for its picture, the page, and its context."""

    name: str
    page: str
    context: page.Page

    @property
    def html(self) -> str:
        """The page as it would be sent."""
        return render_page(self.page, self.context)


def shell(language: str = "nb", *, service: str = "electricity_grid", brand: Brand | None = BRAND) -> page.Shell:
    """What every page shares."""
    others = tuple((code, f"/p/Xq3fKz7T?lang={code}") for code in LANGUAGES if code != language)
    return page.Shell(
        language=language, country="NO", nonce=NONCE, brand=brand, service=service, csrf_token="token", languages=others
    )


def pay(language: str = "nb", **changes: object) -> page.PayPage:
    """The pay page."""
    usual = page.PayPage(
        shell=shell(language),
        creditor="Fjordnett AS",
        amount=123_450,
        currency="NOK",
        reference="12345678903",
        account="1503.22.33445",
        ways=(page.Way("card", "Kort"), page.Way("vipps", "Vipps")),
        pay_url="/p/Xq3fKz7T/pay",
        not_me_url="/p/Xq3fKz7T/not-me",
        details_url="/p/Xq3fKz7T/details",
        more_time_url="/p/Xq3fKz7T/more-time",
        pay_by=date(2026, 12, 3),
        state=page.ServiceState.OFF,
    )
    return replace(usual, **changes)


def status(language: str, stage: page.Stage, *, service: str = "electricity_grid") -> page.StatusPage:
    """The live page at one stage."""
    return page.StatusPage(
        shell=shell(language, service=service),
        stage=stage,
        json_url="/p/Xq3fKz7T/status.json",
        self_url="/p/Xq3fKz7T/status",
        receipt_url="/p/Xq3fKz7T/receipt",
        seconds=8 if stage is page.Stage.ONLINE else None,
    )


def details(language: str = "nb") -> page.DetailsPage:
    """What waits behind the second check."""
    return page.DetailsPage(
        shell=shell(language),
        name="Kari Nordmann",
        service_address="Storgata 1, 5003 Bergen",
        claims=(
            ClaimItem("2026-104412", date(2026, 9, 20), 80_000),
            ClaimItem("2026-118841", date(2026, 10, 20), 39_700),
        ),
        fees=3_750,
        total=123_450,
        currency="NOK",
        pay_page_url="/p/Xq3fKz7T",
        history=(
            page.HistoryItem(date(2026, 9, 6), page.Happened.INVOICE_SENT, 80_000),
            page.HistoryItem(date(2026, 9, 25), page.Happened.REMINDER_SENT),
            page.HistoryItem(date(2026, 11, 5), page.Happened.NOTICE_SENT),
        ),
        next_steps=(page.NextStep(page.Next.DISCONNECT, date(2026, 12, 9)),),
    )


def receipt(language: str = "nb", **changes: object) -> page.ReceiptPage:
    """The receipt."""
    usual = page.ReceiptPage(
        shell=shell(language),
        creditor="Fjordnett AS",
        amount_paid=123_450,
        currency="NOK",
        paid_at=PAID_AT,
        reference="12345678903",
        way="Kort",
        status_url="/p/Xq3fKz7T/status",
    )
    return replace(usual, **changes)


def easier(language: str = "nb", state: str = "") -> page.EasierPage:
    """What can be done when all at once is too much: the choice, or the plan that was agreed."""
    days = (date(2026, 12, 3), date(2027, 1, 3), date(2027, 2, 3))
    left = (0, 20_000, 41_050) if state == "running" else (41_200, 41_200, 41_050)
    parts = tuple(
        page.PlanPart(day, amount, rest) for day, amount, rest in zip(days, (41_200, 41_200, 41_050), left, strict=True)
    )
    usual = page.EasierPage(
        shell=shell(language),
        currency="NOK",
        amount=sum(left),
        pay_page_url="/p/Xq3fKz7T",
        state=state,
        parts=parts,
        more_time_url="/p/Xq3fKz7T/more-time",
    )
    if state:
        return usual
    return replace(
        usual,
        options=((2, 61_800), (3, 41_200), (12, 10_300)),
        months=3,
        chosen_url="/p/Xq3fKz7T/easier",
        agree_url="/p/Xq3fKz7T/agree",
        earliest=date(2026, 11, 20),
        latest=date(2026, 12, 3),
        promise_url="/p/Xq3fKz7T/promise",
    )


def verify(language: str = "nb", **changes: object) -> page.VerifyPage:
    """The second check."""
    usual = page.VerifyPage(
        shell=shell(language),
        question=page.Question.POSTCODE,
        verify_url="/p/Xq3fKz7T/verify",
        back_url="/p/Xq3fKz7T",
    )
    return replace(usual, **changes)


def card_trial(language: str = "nb") -> page.TestPayPage:
    """The test provider's page."""
    return page.TestPayPage(
        shell=shell(language),
        creditor="Fjordnett AS",
        amount=123_450,
        currency="NOK",
        reference="12345678903",
        submit_url="/testpay/o_1",
    )


def in_language(language: str) -> Iterator[Sample]:
    """All pages in one language, in each of their states."""
    yield Sample("pay", "pay", pay(language))
    yield Sample("pay-bare", "pay", pay(language, ways=(), details_url="", more_time_url="", state="on", pay_by=None))
    yield Sample("pay-collected", "pay", pay(language, collected=(date(2026, 12, 3), 123_450), state="on"))
    yield Sample("pay-offered", "pay", pay(language, easier_url="/p/Xq3fKz7T/easier", offers_plan=True))
    part = page.PlanPart(date(2026, 12, 3), 41_200, 41_200)
    yield Sample("pay-part", "pay", pay(language, easier_url="/p/X/easier", part=part, amount=61_200, state="on"))
    for state in ("", "agreed", "running"):
        yield Sample(f"easier-{state or 'choice'}", "easier", easier(language, state))
    for stage in page.Stage:
        yield Sample(f"status-{stage}", "status", status(language, stage))
    yield Sample("status-broadband", "status", status(language, page.Stage.RESTORING, service="broadband"))
    yield Sample("verify", "verify", verify(language))
    yield Sample("verify-wrong", "verify", verify(language, question=page.Question.PHONE_LAST4, wrong=True))
    yield Sample("verify-locked", "verify", verify(language, locked=True))
    yield Sample("details", "details", details(language))
    yield Sample("receipt", "receipt", receipt(language))
    yield Sample("receipt-half", "receipt", receipt(language, remaining=23_450, status_url="", pay_page_url="/p/X"))
    for why in page.Hitch:
        context = page.TryAgainPage(shell=shell(language), why=why, pay_page_url="/p/Xq3fKz7T")
        yield Sample(f"try_again-{why}", "try_again", context)
    yield Sample("expired", "unknown_link", _unknown(language, expired=True, reference="12345678903"))
    yield Sample("unknown_link", "unknown_link", _unknown(language))
    nameless = page.UnknownLinkPage(shell=shell(language, brand=None))
    yield Sample("unknown_link-nameless", "unknown_link", nameless)
    for name in ("not_me_done", "more_time_done", "nothing_due", "error"):
        yield Sample(name, name, page.SimplePage(shell=shell(language)))
    yield Sample("testpay", "testpay", card_trial(language))


def _unknown(language: str, **changes: object) -> page.UnknownLinkPage:
    return replace(page.UnknownLinkPage(shell=shell(language)), **changes)


def gallery(languages: tuple[str, ...] = LANGUAGES) -> Iterator[tuple[str, Sample]]:
    """Every page in every language."""
    for language in languages:
        for sample in in_language(language):
            yield language, sample


def write(folder: Path, log: Callable[[str], None] = print) -> None:
    """Write the gallery as files."""
    for language, sample in gallery():
        path = folder / f"{sample.name}.{language}.html"
        path.write_text(sample.html, encoding="utf-8")
        log(f"{path} {path.stat().st_size}")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
