"""Users of the console, made from the command line."""

import os

import django
from django.contrib.auth.hashers import make_password


class UnableToMakeUser(LookupError):
    """There is no such partner, or the role or password cannot be used; the text says which."""


def make_user(*, username: str, password: str, partner: str, role: str) -> None:
    """Make the user, or give an existing one a new password and role. Raises `UnableToMakeUser`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relight.project.settings")
    django.setup()
    from django.contrib.auth.models import User

    from relight.flow.partners.models import Membership, Partner

    found = Partner.objects.using("owner").filter(slug=partner).first()
    if found is None:
        raise UnableToMakeUser(f"There is no partner {partner!r}. See `relight partner list`.")
    user, _ = User.objects.using("owner").update_or_create(
        username=username, defaults={"password": make_password(password), "is_active": True}
    )
    Membership.objects.using("owner").update_or_create(partner=found, user=user, defaults={"role": role})
