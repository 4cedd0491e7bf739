"""From what a page needs to know to its HTML. Pure: no request, no database, no paths of its own.

One answer holds everything: style and script ride inside under the response's nonce, so that the first paint needs no
second request. Send each page with `content_security_policy(nonce)`, `Referrer-Policy: same-origin` (stricter would
make browsers send `Origin: null`, and the forms would be refused) and `Cache-Control: no-store`.
"""

from functools import cache, lru_cache
from importlib import resources

from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FunctionLoader
from markupsafe import Markup

from relight.flow.messages.catalog import help_contacts
from relight.flow.messages.colours import readable, text_on
from relight.flow.messages.formats import date_and_time, long_date, money, number, short_date, unbroken
from relight.web.paypages.contexts import (
    FINAL_STAGES,
    DetailsPage,
    EasierPage,
    Page,
    PayPage,
    ReceiptPage,
    Shell,
    SimplePage,
    StatusPage,
    TestPayPage,
    TryAgainPage,
    UnknownLinkPage,
    VerifyPage,
)
from relight.web.paypages.words import language_name, words_for

PAGES: dict[str, type] = {
    "pay": PayPage,
    "easier": EasierPage,
    "verify": VerifyPage,
    "details": DetailsPage,
    "status": StatusPage,
    "receipt": ReceiptPage,
    "unknown_link": UnknownLinkPage,
    "try_again": TryAgainPage,
    "not_me_done": SimplePage,
    "more_time_done": SimplePage,
    "nothing_due": SimplePage,
    "error": SimplePage,
    "testpay": TestPayPage,
}

_DEFAULT_COLOUR = "#0b4f6c"
# The surfaces that brand-coloured text stands on, light and dark; the same values are in page.css.
_LIGHT, _DARK = "#f7f5f0", "#1e262d"


def render_page(name: str, context: Page) -> str:
    """The HTML of page `name` (one of `PAGES`) for `context`, which must be of that page's class."""
    if not isinstance(context, PAGES[name]):
        raise TypeError(f"page {name!r} needs a {PAGES[name].__name__}, got {type(context).__name__}")
    shell = context.shell
    return (
        _templates()
        .get_template(f"{name}.html")
        .render(
            page=context,
            shell=shell,
            name=name,
            words=words_for(shell.language, shell.country, shell.service),
            help_contacts=shell.help or help_contacts(shell.country, shell.language),
            colours=_colours(shell.brand.colour if shell.brand else _DEFAULT_COLOUR),
            final=isinstance(context, StatusPage) and context.stage in FINAL_STAGES,
            **_formats(shell),
        )
    )


def status_json(context: StatusPage) -> dict[str, object]:
    """What `json_url` answers: the page fetches itself anew when `stage` changes and stops asking when `final`."""
    return {"stage": context.stage.value, "seconds": context.seconds, "final": context.stage in FINAL_STAGES}


def content_security_policy(nonce: str, form_targets: tuple[str, ...] = ()) -> str:
    """The policy that the pages work under. `form_targets` are the origins of payment providers that a form's answer
    redirects to ("https://checkout.stripe.com"): browsers check the redirect against `form-action`."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'nonce-{nonce}'",
            f"script-src 'nonce-{nonce}'",
            "img-src 'self' https:",
            "connect-src 'self'",
            " ".join(("form-action 'self'", *form_targets)),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _formats(shell: Shell) -> dict[str, object]:
    language = shell.language
    return {
        "money": lambda minor, currency: money(minor, currency, language),
        "long_date": lambda day: long_date(day, language),
        "number": lambda value: number(value, language),
        "short_date": lambda day: short_date(day, language),
        "date_and_time": lambda moment: date_and_time(moment, language),
    }


@lru_cache(maxsize=256)
def _colours(brand: str) -> dict[str, str]:
    return {
        "brand": brand,
        "on_brand": text_on(brand),
        "ink_light": readable(brand, _LIGHT),
        "ink_dark": readable(brand, _DARK),
    }


@cache
def _templates() -> Environment:
    folder = resources.files("relight.web.paypages")
    environment = Environment(
        loader=FunctionLoader(lambda name: (folder / "templates" / name).read_text(encoding="utf-8")),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    static = {
        name: Markup(_squeezed((folder / "static" / name).read_text(encoding="utf-8")))  # noqa: S704 - our own files
        for name in ("page.css", "copy.js", "status.js")
    }
    environment.globals.update(static=static, language_name=language_name, unbroken=unbroken)
    return environment


def _squeezed(source: str) -> str:
    """Without indentation and whole-line comments: the page rides on a phone's connection."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
