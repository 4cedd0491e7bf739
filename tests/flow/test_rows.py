"""No partner sees or touches another's rows, by SQL too, as the role that runs in production (I7).

Every table with a partner is tried, whatever the catalogue says there is: a new table needs no new test.
"""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from relight.project import checks
from relight.project.connect import DatabaseUrls
from tests.flow.every_table import PARTNERS, EveryTable, Reference, number_of

REFUSED = ("InsufficientPrivilege",)
# Of these no row is changed as a whole, and none deleted; some columns of some may be changed.
APPEND_ONLY = (
    "agency_check", "agency_fee", "agency_notice", "agency_settlement", "agency_settlement_line", "audit_result",
    "bank_refund",
    "books_act_transfer", "books_balance", "books_day", "books_open_claim", "books_period", "case_event",
    "claim_due_change", "collection", "collection_delivery", "collection_file", "collection_notice",
    "collection_receipt", "confirmed_rate", "feed", "handover_claim", "mandate",
    "payment_act", "payment_share", "plan_claim", "plan_part", "policy_act", "policy_draft", "policy_version",
    "provider_refund", "remittance", "remittance_item", "success_terms", "transfer", "undo", "undo_case",
)  # fmt: skip
KEPT = (
    "collecting_calendar",
    "collecting_creditor",
    "driver_rest",
    "instalment_plan",
    "settled_day",
)  # changed, and never deleted
HELD_OTHERWISE = {
    ("membership", "user_id"),  # users belong to no partner
    ("case_event", "bulk_id"),  # a number that events of one bulk act share; no row has it
    ("feed", "case_id"),  # copied from an event by the database itself, and kept when the case is purged
    ("feed_pending", "case_id"),
}
FUNCTIONS_AS_OWNER = ["due_partners", "message_by_provider_id"]


@pytest.fixture
def every(database_urls: dict[str, str], partner: int, other_partner: int) -> Iterator[EveryTable]:
    """Two partners with a row in each table; gone after the test."""
    with psycopg.connect(database_urls["admin"]) as connection:
        tables = EveryTable(connection, mine=partner, theirs=other_partner)
        tables.fill()
        yield tables
        connection.rollback()


def seen_of_theirs(every: EveryTable, *, partner: int | None) -> list[str]:
    """Tables in which the other partner's rows can be seen."""
    with every.as_app(partner=partner):
        return [table for table in every.tables if every.count(table, every.theirs)]


def test_there_is_something_to_see_in_every_table(every: EveryTable) -> None:
    assert len(every.with_rows) > 30
    assert [table for table in every.tables if not every.count(table, every.theirs)] == []


def test_a_partner_sees_its_own_rows_and_nobody_elses(every: EveryTable) -> None:
    with every.as_app(partner=every.mine):
        unseen = [table for table in every.tables if not every.count(table, every.mine)]

    assert unseen == []
    assert seen_of_theirs(every, partner=every.mine) == []


def test_without_a_partner_nothing_is_seen_but_who_the_partners_are(every: EveryTable) -> None:
    assert seen_of_theirs(every, partner=None) == [PARTNERS]


def test_nothing_can_be_put_into_another_partners_rows(every: EveryTable) -> None:
    statements = {table: every.insert(table, every.theirs) for table in every.with_rows}
    with every.as_app(partner=every.mine):
        let_in = {table: every.touched(statement) for table, statement in statements.items()}

    assert {table: how for table, how in let_in.items() if how not in REFUSED} == {}


def test_own_rows_can_be_put_in_by_the_same_statements(every: EveryTable) -> None:
    statements = {table: every.insert(table, every.mine) for table in every.with_rows}
    with every.as_app(partner=every.mine):
        refused = [table for table, statement in statements.items() if every.touched(statement) in REFUSED]

    assert refused == []


def test_an_update_of_everything_stays_within_the_partner(every: EveryTable) -> None:
    every.connection.execute("SET LOCAL session_replication_role = replica")  # the rows point nowhere
    with every.as_app(partner=every.mine):
        own = {table: every.count(table, every.mine) for table in every.with_rows if table not in APPEND_ONLY}
        touched = {table: every.touched_in(table, "UPDATE {} SET partner_id = partner_id") for table in own}
        moved = {
            table: every.touched_in(table, "UPDATE {} SET partner_id = %(theirs)s", theirs=every.theirs)
            for table in own
        }

    assert touched == own
    assert {table: how for table, how in moved.items() if how not in REFUSED} == {}


def test_a_deletion_of_everything_stays_within_the_partner(every: EveryTable) -> None:
    every.connection.execute("SET LOCAL session_replication_role = replica")
    with every.as_app(partner=every.mine):
        deletable = [table for table in every.with_rows if table not in (*APPEND_ONLY, *KEPT)]
        own = {table: every.count(table, every.mine) for table in deletable}
        gone = {table: every.touched_in(table, "DELETE FROM {}") for table in own}
        emptied = {table: every.touched_in(table, "TRUNCATE {} CASCADE") for table in every.tables}

    assert gone == own
    assert set(emptied.values()) == set(REFUSED)


def test_a_partners_own_row_is_written_from_within_only(every: EveryTable) -> None:
    change = "UPDATE partner SET stopped_at = NULL"
    with every.as_app(partner=every.mine):
        mine = every.touched(change)
    with every.as_app(partner=None):
        nobodys = every.touched(change)

    assert (mine, nobodys) == (1, 0)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_happened_can_be_neither_changed_nor_deleted(every: EveryTable, table: str) -> None:
    with every.as_app(partner=every.mine):
        tried = [
            every.touched_in(table, "UPDATE {} SET partner_id = partner_id"),
            every.touched_in(table, "DELETE FROM {}"),
        ]

    assert tried == [*REFUSED, *REFUSED]


def test_a_policy_is_rolled_out_within_its_partner_only(every: EveryTable) -> None:
    with every.as_app(partner=every.mine):
        mine = every.touched("UPDATE policy_version SET share = share, cap = cap, retired_at = retired_at")
    with every.as_app(partner=None):
        nobodys = every.touched("UPDATE policy_version SET share = share")

    assert (mine, nobodys) == (1, 0)


def test_a_user_reads_which_partners_he_works_for_and_cannot_let_himself_in(every: EveryTable) -> None:
    user = number_of(every.theirs)
    with every.as_app(partner=every.mine, user=user):
        read = [every.count(table, every.theirs) for table in ("membership", PARTNERS)]
        promoted = every.touched(
            "UPDATE membership SET role = 'manager' WHERE partner_id <> %(mine)s", {"mine": every.mine}
        )
        let_in = every.touched(
            "INSERT INTO membership (partner_id, user_id, role) VALUES (%(theirs)s, %(user)s, 'manager')",
            {"theirs": every.theirs, "user": user + 1},
        )

    assert read == [1, 1]
    assert promoted == 0
    assert let_in in REFUSED


def cross(every: EveryTable, reference: Reference) -> str:
    """Point a row of mine at one of theirs; the key that refused it, or "crossed"."""
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    sets = [
        sql.SQL("{} = (SELECT max({}) FROM {} WHERE partner_id = {})").format(
            sql.Identifier(column), sql.Identifier(to), sql.Identifier(reference.target), sql.Literal(every.theirs)
        )
        for column, to in pairs
        if column != "partner_id"
    ]
    statement = sql.SQL("UPDATE {} SET {} WHERE partner_id = {}").format(
        sql.Identifier(reference.table), sql.SQL(", ").join(sets), sql.Literal(every.mine)
    )
    try:
        with every.connection.transaction(force_rollback=True):
            every.without_other_keys(reference)
            assert every.connection.execute(statement).rowcount == 1
            return "crossed"
    except psycopg.errors.ForeignKeyViolation as refused:
        return refused.diag.constraint_name or ""


def test_no_row_can_point_at_another_partners_row(every: EveryTable) -> None:
    references = every.references()

    refused_by = {one.name: cross(every, one) for one in references}

    assert len(references) > 40
    assert refused_by == {name: name for name in refused_by}


def unheld(every: EveryTable) -> set[tuple[str, str]]:
    """Columns that are named like a reference and held by no foreign key within a partner."""
    held = {(one.table, column) for one in every.references() for column in one.columns}
    named = {
        (table, column)
        for table in every.with_rows
        for column, kind in every.columns(table).items()
        if column.endswith("_id") and column != "partner_id" and kind in ("integer", "bigint")
    }
    return named - held


def test_every_reference_to_a_partners_row_is_held_by_a_foreign_key(every: EveryTable) -> None:
    assert unheld(every) == HELD_OTHERWISE


def test_no_key_spans_partners(every: EveryTable) -> None:
    """A unique key without the partner would tell one partner what another has."""
    found = every.connection.execute(
        "SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indisunique AND i.indrelid = ANY"
        " (SELECT to_regclass(t) FROM unnest(%s::text[]) t) AND NOT EXISTS (SELECT FROM pg_attribute a"
        " WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[]) AND a.attname = 'partner_id')",
        [every.with_rows],
    ).fetchall()

    assert [row[0] for row in found] == ["supply_pkey"]  # one row a service, by the service's own number


def test_only_known_functions_run_as_the_owner_and_none_can_be_led_astray(every: EveryTable) -> None:
    found = every.connection.execute(
        "SELECT proname::text, coalesce(array_to_string(proconfig, ','), '') FROM pg_proc"
        " WHERE pronamespace = 'relight'::regnamespace AND prosecdef ORDER BY 1"
    ).fetchall()

    assert [name for name, _ in found] == FUNCTIONS_AS_OWNER
    assert {settings for _, settings in found} == {"search_path=relight, pg_temp"}


@pytest.mark.parametrize(
    "fault",
    [
        "ALTER TABLE claim DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY everybody ON claim USING (true)",
        "DROP POLICY own_partner ON claim; CREATE POLICY theirs ON claim USING (partner_id IS NOT NULL)",
        "ALTER ROLE relight_app BYPASSRLS",
    ],
)
def test_a_table_left_open_is_noticed_here(every: EveryTable, fault: str) -> None:
    every.connection.execute(fault)

    assert "claim" in seen_of_theirs(every, partner=every.mine)


def test_a_reference_without_a_key_is_noticed_here(every: EveryTable) -> None:
    every.connection.execute("ALTER TABLE effect DROP CONSTRAINT effect_service_id_fk")

    assert ("effect", "service_id") in unheld(every)


def test_a_key_that_forgets_the_partner_is_noticed_here(every: EveryTable) -> None:
    every.connection.execute("ALTER TABLE effect DROP CONSTRAINT effect_service_id_fk")
    every.connection.execute(
        "ALTER TABLE effect ADD CONSTRAINT careless FOREIGN KEY (service_id) REFERENCES supply (service_id)"
    )

    careless = next(one for one in every.references() if one.name == "careless")

    assert cross(every, careless) == "crossed"


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("CREATE TABLE forgotten (partner_id integer, secret text)", "forgotten"),
        (
            "CREATE TABLE forgotten (partner_id integer); ALTER TABLE forgotten ENABLE ROW LEVEL SECURITY;"
            " CREATE POLICY all_of_them ON forgotten USING (true)",
            "forgotten",
        ),
        ("ALTER TABLE partner DISABLE ROW LEVEL SECURITY; CREATE TABLE forgotten ()", "partner"),
    ],
    ids=["no_policy", "a_policy_that_asks_nothing", "the_partners_own_table"],
)
def test_doctor_finds_a_table_that_somebody_forgot_to_protect(
    database_urls: dict[str, str], owner: psycopg.Connection, made: str, name: str
) -> None:
    urls = DatabaseUrls(owner="", app=database_urls["app"], server=None)
    before = {check.name: check for check in checks.database_checks(urls)}["row-level security"]
    owner.execute(made)
    try:
        after = {check.name: check for check in checks.database_checks(urls)}["row-level security"]
    finally:
        owner.execute("DROP TABLE forgotten; ALTER TABLE partner ENABLE ROW LEVEL SECURITY")

    assert before.ok, before.found
    assert not after.ok
    assert name in after.found
