"""Refusals of the ground floor: what was found wrong with home, server or roles, and what to do about it."""

from relight.flow.watch.ready import NoDatabase


class UnableToProvideDatabase(NoDatabase):
    """Relight cannot give its commands a database. `found` says what is wrong, `remedy` what to do."""

    def __init__(self, found: str, *, remedy: str) -> None:
        super().__init__(f"{found} {remedy}")
        self.found = found
        self.remedy = remedy


class UnableToUseHome(UnableToProvideDatabase):
    """The folder Relight keeps its data in cannot be made or used."""


class UnableToFindInstallation(UnableToProvideDatabase):
    """There is no installation where the command looks, and it may not begin one there."""


class UnableToStartServer(UnableToProvideDatabase):
    """The embedded PostgreSQL cannot be found, made or started."""


class UnableToStopServer(UnableToProvideDatabase):
    """The embedded PostgreSQL did not stop when its last user let it go."""


class UnableToUseDatabaseUrl(UnableToProvideDatabase):
    """`DATABASE_URL` or `DATABASE_OWNER_URL` leads to a database that Relight cannot run on."""


class UnableToBackUp(UnableToProvideDatabase):
    """A backup cannot be made, or not be restored as it was asked."""
