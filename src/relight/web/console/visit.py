"""A request as the console's views see it: with what the door has put on it."""

from datetime import datetime

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from relight.web.console.desk import Desk
from relight.web.console.queries.shell import Waiting


class Visit(HttpRequest):
    """A request to the console by anybody. `moment` is the database's clock, read once."""

    htmx: HtmxDetails
    moment: datetime
    desk: Desk | None


class Seated(HttpRequest):
    """A request by somebody who is signed in, at a partner: what views behind `signed_in` are given.

    `waiting` is there once the frame has asked for it.
    """

    user: User
    htmx: HtmxDetails
    moment: datetime
    desk: Desk
    waiting: Waiting
