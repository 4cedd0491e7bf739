"""Which statements read a large table from end to end, on an installation with a history:

    RELIGHT_HOME=FOLDER/a/h python -m bench.statements     # of a year that was lived (tests/year)

Every statement of the stages and of the web is planned as it is run, once for all parameters, for the partner with the
most accounts; told is what reads a table of many rows whole, or all of the partner's. Some must: closing a month,
searching by a part of a name, a list of everything; some read an index that holds only what is open.

Under row-level security an index only takes what cannot leak: a cast, a sub-select or a function of a row's columns in
a condition makes PostgreSQL read the partner's rows one by one. Such a value is found first, in a MATERIALIZED part.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

import relight
from relight.project.installation import Installed

ROWS_MIN = 1_500
_PACKAGE = Path(str(relight.__file__)).parent
_NAMED = re.compile(r"^-- (\w+): .*$", re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s")
# Whoever asks sends types along; where PostgreSQL cannot tell them by itself, these help it.
_TYPES: Mapping[str, str] = dict.fromkeys(("now", "lease_until", "command_lease_until"), "::timestamptz")
_SCAN = re.compile(r"(Seq|Index|Index Only) Scan (?:Backward )?(?:using \w+ )?on (\w+)")
_SESSION = "-c search_path=relight -c jit=off"
_SIZES = (
    "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = 'relight'::regnamespace"
)
_LARGEST = "SELECT partner_id FROM account GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"


def statements() -> Iterator[tuple[str, str]]:
    """Every statement of the stages and of the web, by its file's and its own name."""
    for path in sorted((*_PACKAGE.glob("flow/**/*.sql"), *_PACKAGE.glob("web/**/*.sql"))):
        pieces = _NAMED.split(path.read_text("utf-8"))
        for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
            yield f"{path.relative_to(_PACKAGE).with_suffix('')}:{name}", text


def look(owner_url: str, app_url: str) -> Iterator[str]:
    """Statement, table and its rows; and which statements cannot be planned by themselves."""
    with psycopg.connect(owner_url, options=_SESSION) as owner:
        sizes: dict[str, int] = dict(owner.execute(_SIZES).fetchall())
        partner = owner.execute(_LARGEST).fetchone()
    with psycopg.connect(app_url, autocommit=True, options=_SESSION) as app:
        app.execute("SELECT set_config('relight.partner', %s, false)", [str(partner[0]) if partner else ""])
        app.execute("SELECT set_config('relight.now', now()::text, false)")
        for name, text in statements():
            plan = plan_of(app, text)
            if plan is None:
                yield f"{name}: not planned by itself"
            else:
                yield from sorted({f"{name}: {table}, {sizes[table]:,} rows" for table in _read_whole(plan, sizes)})


def plan_of(app: psycopg.Connection, text: str, *, options: str = "GENERIC_PLAN") -> list[str] | None:
    """The lines of a statement's generic plan, by which it is run; None where it cannot be planned by itself, since it
    wants a table of its session's own or leaves the type of a parameter to whoever asks."""
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}{_TYPES.get(found[1], '')}", text)
    result = app.pgconn.exec_(f"EXPLAIN ({options}) {numbered.replace('%%', '%')}".encode())
    if result.error_message:
        return None
    return [(result.get_value(at, 0) or b"").decode() for at in range(result.ntuples)]


def _read_whole(plan: list[str], sizes: Mapping[str, int]) -> Iterator[str]:
    """The large tables that a plan reads from end to end, or by nothing but the partner."""
    for at, line in enumerate(plan):
        found = _SCAN.search(line)
        if found is None or sizes.get(found[2], 0) < ROWS_MIN:
            continue
        condition = plan[at + 1].strip() if at + 1 < len(plan) else ""
        if found[1] == "Seq" or ("Index Cond: (partner_id" in condition and " AND " not in condition):
            yield found[2]


def main() -> None:
    """Print them, one a line."""
    installed = Installed()
    with installed.database() as db:
        for line in look(installed.owner_url(), db.conninfo):
            print(line)


if __name__ == "__main__":
    main()
