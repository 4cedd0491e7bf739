"""The one entrance to the database: `resolve()` gives the two addresses everything else runs on."""

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from relight.project import cluster, credentials, embedded, paths, roles, server_url
from relight.project.embedded import Server
from relight.project.errors import UnableToFindInstallation, UnableToUseDatabaseUrl
from relight.project.locks import exclusive
from relight.project.server_url import ServerUrl

APP_VARIABLE = "DATABASE_URL"
OWNER_VARIABLE = "DATABASE_OWNER_URL"
_CREDENTIALS_WAIT_SECONDS = 60

_held: dict[Path, Server] = {}


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Connection strings (libpq): `owner` migrates, `app` runs. `server` is the embedded one, held until we end."""

    owner: str
    app: str
    server: Server | None

    @property
    def is_embedded(self) -> bool:
        """Whether Relight runs the server itself."""
        return self.server is not None


def resolve(environment: Mapping[str, str] = os.environ) -> DatabaseUrls:
    """Find or make database, schema and roles, by `DATABASE_URL` or embedded. Raises `UnableToProvideDatabase`."""
    given = environment.get(APP_VARIABLE)
    if not given:
        return _resolve_embedded()
    url = server_url.look(given, variable=APP_VARIABLE)
    if url.is_admin:
        return _resolve_as_admin(url)
    return _resolve_as_app(url, environment.get(OWNER_VARIABLE))


def is_begun(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is an installation already; looks without making anything. Raises `UnableToUseDatabaseUrl`."""
    if given := environment.get(APP_VARIABLE):
        url = server_url.look(given, variable=APP_VARIABLE)
        return url.entrance == url.conninfo and roles.has_tables(url.conninfo)
    return cluster.data_folder(paths.home_path()) is not None


def must_be_begun(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse where nothing is yet: what acts on an installation must not make an empty one and answer for that."""
    if is_begun(environment):
        return
    where = f"the database of {APP_VARIABLE}" if environment.get(APP_VARIABLE) else str(paths.home_path())
    raise UnableToFindInstallation(
        f"There is no installation of Relight in {where}.",
        remedy=f"Set {paths.HOME_VARIABLE}, or {APP_VARIABLE}, as it is set for web and workers (docs/installing.md, "
        '"By hand"); or begin a new one there with `relight migrate`.',
    )


def _resolve_embedded() -> DatabaseUrls:
    home = paths.home()
    if credentials.has_secret(home) and cluster.data_folder(home) is None:
        raise UnableToFindInstallation(
            f"{home} is the home of an installation whose PostgreSQL is elsewhere, and no {APP_VARIABLE} is set.",
            remedy=f'Set {APP_VARIABLE} as for web and workers (docs/installing.md, "By hand"); or, for another '
            f"installation, {paths.HOME_VARIABLE} to a folder that is empty.",
        )
    if home not in _held or not _held[home].is_held:
        _held[home] = embedded.acquire(home)
        atexit.register(_held[home].release)
    server = _held[home]
    return DatabaseUrls(owner=server.url(roles.OWNER), app=server.url(roles.APP), server=server)


def _resolve_as_admin(url: ServerUrl) -> DatabaseUrls:
    """`DATABASE_URL` may create roles: make ours, and run as them rather than as the administrator."""
    home = paths.home()
    with exclusive(home / "credentials.lock", wait_seconds=_CREDENTIALS_WAIT_SECONDS):
        passwords = _passwords(home, url)
        roles.provision(url.entrance, database=url.database, passwords=passwords)
    urls = {role: server_url.as_role(url, role, passwords.get(role)) for role in (roles.OWNER, roles.APP)}
    for role, conninfo in urls.items():
        if said := server_url.lets_in(conninfo):
            raise UnableToUseDatabaseUrl(f"{url.server} does not let {role} in: {said}.", remedy=_share_or_give(home))
    return DatabaseUrls(owner=urls[roles.OWNER], app=urls[roles.APP], server=None)


def _passwords(home: Path, url: ServerUrl) -> dict[str, str]:
    """Those on file; else new ones if we are about to make the roles; else none, which a trusting server accepts."""
    if stored := credentials.read(home, url.server):
        return stored
    with psycopg.connect(url.entrance, row_factory=dict_row) as connection:
        is_new_server = not roles.existing(connection)
    return credentials.make(home, url.server) if is_new_server else {}


def _resolve_as_app(url: ServerUrl, owner_given: str | None) -> DatabaseUrls:
    """`DATABASE_URL` is a role without powers: it runs, and the owner's own address migrates."""
    if url.role != roles.APP:
        raise UnableToUseDatabaseUrl(
            f"{APP_VARIABLE} lets in {url.role}, which is neither {roles.APP} nor may create it.",
            remedy=f"Let an administrator run this once, and give both addresses: {roles.by_hand(url.database)}",
        )
    if not owner_given:
        raise UnableToUseDatabaseUrl(
            f"{APP_VARIABLE} lets in {roles.APP}, which may not migrate.",
            remedy=f"Set {OWNER_VARIABLE} to the address of {roles.OWNER} on the same database as well.",
        )
    owner = server_url.look(owner_given, variable=OWNER_VARIABLE)
    if owner.role != roles.OWNER:
        raise UnableToUseDatabaseUrl(
            f"{OWNER_VARIABLE} lets in {owner.role} instead of {roles.OWNER}.",
            remedy=f"Set {OWNER_VARIABLE} to the address of {roles.OWNER}.",
        )
    with psycopg.connect(owner.conninfo) as connection:
        roles.prepare_schema(connection)
    return DatabaseUrls(owner=owner.conninfo, app=url.conninfo, server=None)


def _share_or_give(home: Path) -> str:
    return (
        f"Copy {credentials.FILE_NAME} from the home of the host that made the roles into {home}; or set their "
        f"passwords yourself, and set {APP_VARIABLE} for {roles.APP} and {OWNER_VARIABLE} for {roles.OWNER}."
    )
