"""Somebody at the console: a browser that keeps cookies, follows redirects and fills in forms, but runs no scripts."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import NamedTuple

import httpx

from tests.web.console_sample import PASSWORD

_FIELDS = ("input", "select", "textarea", "button")


class Form(NamedTuple):
    """A form as the page holds it: where it goes, and what it would send if nobody touched it."""

    method: str
    action: str
    fields: dict[str, str]
    names: frozenset[str]


class _Forms(HTMLParser):
    """Collects a page's forms, with fields that belong to one by `form="…"`."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str], dict[str, str], set[str]]] = []
        self._open: tuple[dict[str, str], dict[str, str], set[str]] | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = (given, {}, set())
            self.forms.append(self._open)
        elif tag == "option" and self._select and self._open:
            if "selected" in given or self._select not in self._open[1]:
                self._open[1][self._select] = given.get("value", "")
        elif tag in _FIELDS and given.get("name"):
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""

    def _field(self, tag: str, given: dict[str, str]) -> None:
        owner = (
            next((one for one in self.forms if one[0].get("id") == given["form"]), None)
            if "form" in given
            else self._open
        )
        if owner is None:
            return
        name = given["name"]
        owner[2].add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            owner[1][name] = ""
        elif (tag == "input" and given.get("type") not in ("checkbox", "radio")) or "checked" in given:
            owner[1][name] = given.get("value", "")


class Seen:
    """A page that came back."""

    def __init__(self, response: httpx.Response):
        self.response = response
        self.status = response.status_code
        self.path = response.url.path
        self.html = response.text.replace("\xa0", " ").replace("&nbsp;", " ")

    def has(self, *texts: str) -> bool:
        """Whether the page says all of these."""
        return all(text in self.html for text in texts)

    def form(self, to: str) -> Form:
        """The page's form whose address holds `to`; a form without an address goes to the page itself."""
        reader = _Forms()
        reader.feed(self.html)
        for given, fields, names in reader.forms:
            action = given.get("action") or str(self.response.url.copy_with(scheme=None, host=None, port=None))
            if to in action and given.get("method", "get") == "post":
                return Form("post", action, fields, frozenset(names))
        raise AssertionError(f"the page {self.path} has no form to {to}")

    def links(self, to: str) -> list[str]:
        """Addresses of links that hold `to`."""
        return [one.replace("&amp;", "&") for one in re.findall(r'href="([^"]+)"', self.html) if to in one]

    @property
    def rows(self) -> int:
        """How many rows the page's table has."""
        return self.html.count('<th scope="row"')


class Visitor:
    """Somebody at the console."""

    def __init__(self, site: str, language: str = "nb"):
        self.browser = httpx.Client(
            base_url=site, follow_redirects=True, trust_env=False, timeout=30, headers={"Accept-Language": language}
        )

    def opens(self, path: str, **query: str) -> Seen:
        """Follow an address under /console/."""
        return Seen(self.browser.get(f"/console/{path}", params=query or None))

    def fills(self, seen: Seen, to: str, **typed: str) -> Seen:
        """Send a form of the page with what was typed; every name typed must be on the form."""
        form = seen.form(to)
        unknown = set(typed) - form.names
        assert not unknown, f"the form has no {unknown}"
        return Seen(
            self.browser.post(form.action, data={**form.fields, **typed}, headers={"Referer": str(seen.response.url)})
        )

    def sends(self, path: str, **fields: str) -> Seen:
        """Send what no form offers, as somebody would who writes requests by hand; with a valid token."""
        token = self.opens("password/").form("password").fields["csrfmiddlewaretoken"]
        return Seen(self.browser.post(f"/console/{path}", data={**fields, "csrfmiddlewaretoken": token}))

    def asks(self, path: str, *, target: str, **headers: str) -> Seen:
        """As htmx asks for a part of a page."""
        told = {
            "HX-Request": "true",
            "HX-Target": target,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return Seen(self.browser.get(f"/console/{path}", headers=told))

    def signs_in(self, name: str, password: str = PASSWORD, **where: str) -> Seen:
        """Through the sign-in page."""
        return self.fills(self.opens("sign-in/", **where), "sign-in", login=name, password=password)


SignIn = Callable[..., Visitor]
