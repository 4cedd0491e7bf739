"""Planted in the walls and the messages (I7, I8): each is found, and nothing else is."""

from datetime import timedelta

import pytest
from psycopg.conninfo import make_conninfo

from relight.audit.run import audit
from tests.audit.story import Copy


def _warning(copy: Copy) -> tuple[int, int, int, int]:
    """A closing notice that left: its case, event, effect and message."""
    case, event, effect, message = copy.row(
        "SELECT e.case_id, e.event_number, e.id, m.id FROM effect e JOIN sent_message m ON m.effect_id = e.id"
        " WHERE e.account_id = %(a)s AND e.template = 'disconnect_notice' AND e.channel = 'email'",
        a=copy.story.dark.id,
    )
    return case, event, effect, message


# -- I7


def test_row_level_security_is_off_for_a_table(copy: Copy) -> None:
    copy.plant("ALTER TABLE claim DISABLE ROW LEVEL SECURITY", rows=None)

    report = copy.report()

    assert [(one.invariant, one.code) for one in report.violations] == [("I7", "unsecured")]
    assert report.violations[0].why == "Row-level security is off for claim."


def test_rows_of_another_partner_are_seen(copy: Copy) -> None:
    copy.plant(
        "INSERT INTO partner (slug, name, country, currency, language, time_zone, created_at)"
        " VALUES ('other', 'Other', 'NO', 'NOK', 'nb', 'Europe/Oslo', %(at)s)",
        at=copy.story.ends_at,
    )
    copy.plant("INSERT INTO party (partner_id, ref, name) SELECT id, '1', 'Ola' FROM partner WHERE slug = 'other'")
    copy.plant("CREATE POLICY everybody ON party USING (true)", rows=None)

    found = copy.found()

    assert found[0] == ("I7", None, None, "open_policy")
    assert found[1:] == [("I7", None, None, "seen")] * 2


def test_a_reference_leads_to_another_partner(copy: Copy) -> None:
    copy.plant(
        "INSERT INTO partner (slug, name, country, currency, language, time_zone, created_at)"
        " VALUES ('other', 'Other', 'NO', 'NOK', 'nb', 'Europe/Oslo', %(at)s)",
        at=copy.story.ends_at,
    )
    case = copy.case_of(copy.story.dark)
    copy.plant(
        "INSERT INTO task (partner_id, case_id, code, created_at, due_at, dedup)"
        " SELECT id, %(case)s, 'approve', %(at)s, %(at)s, 'x' FROM partner WHERE slug = 'other'",
        case=case, at=copy.story.ends_at,
    )  # fmt: skip

    report = copy.report()

    assert [(one.invariant, one.case, one.code) for one in report.violations] == [("I7", case, "dangling")]
    assert report.violations[0].partner == "other"
    assert report.violations[0].why.startswith(f"task.case_id names {case} in dunning_case")


def test_production_ran_as_a_superuser(copy: Copy) -> None:
    as_superuser = make_conninfo(copy.story.app_url, dbname=copy.name, user="postgres")

    report = audit(as_superuser, as_of=copy.story.ends_at)

    assert ("I7", "bypasses") in {(one.invariant, one.code) for one in report.violations}


def test_a_foreign_key_is_gone(copy: Copy) -> None:
    copy.plant("ALTER TABLE effect DROP CONSTRAINT effect_case_id_fk", rows=None)

    report = copy.report()

    assert [(one.invariant, one.code) for one in report.violations] == [("I7", "untied")]
    assert "effect.case_id" in report.violations[0].why


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        ("GRANT UPDATE ON case_event TO relight_app", "rewrites"),
        ("GRANT TRUNCATE ON claim TO relight_app", "truncates"),
        ("ALTER TABLE party OWNER TO relight_app", "owns"),
    ],
)
def test_the_role_of_production_has_a_right_too_many(copy: Copy, grant: str, code: str) -> None:
    copy.plant(grant, rows=None)

    assert copy.found() == [("I7", None, None, code)]


# -- I8


def test_a_message_left_at_night(copy: Copy) -> None:
    case, event, effect, _ = _warning(copy)
    copy.plant(
        "UPDATE attempt SET started_at = date_trunc('day', started_at) + interval '22 hours', finished_at ="
        " date_trunc('day', started_at) + interval '22 hours' WHERE effect_id = %(e)s",
        e=effect,
    )
    copy.plant("UPDATE effect SET finished_at = date_trunc('day', finished_at) + interval '22 hours' WHERE id = %(e)s",
               e=effect)  # fmt: skip

    assert copy.found() == [("I8", case, event, "quiet_hours")]


def test_a_message_left_on_the_national_day(copy: Copy) -> None:
    case, event, effect, _ = _warning(copy)
    copy.plant(
        "UPDATE attempt SET started_at = '2027-05-17 10:00+02', finished_at = '2027-05-17 10:00+02' WHERE effect_id ="
        " %(e)s",
        e=effect,
    )
    copy.plant("UPDATE effect SET finished_at = '2027-05-17 10:00+02' WHERE id = %(e)s", e=effect)

    assert copy.found() == [("I8", case, event, "quiet_hours")]


def test_a_receipt_may_leave_at_night(copy: Copy) -> None:
    effect = copy.value(
        "SELECT id FROM effect WHERE account_id = %(a)s AND template = 'payment_received'", a=copy.story.back.id
    )
    copy.plant(
        "UPDATE attempt SET started_at = date_trunc('day', started_at) + interval '23 hours', finished_at ="
        " date_trunc('day', started_at) + interval '23 hours' WHERE effect_id = %(e)s",
        e=effect,
    )
    copy.plant("UPDATE effect SET finished_at = date_trunc('day', finished_at) + interval '23 hours' WHERE id = %(e)s",
               e=effect)  # fmt: skip

    assert copy.found() == []


def test_six_messages_went_out_in_seven_days(copy: Copy) -> None:
    case, _, _, message = _warning(copy)
    copy.plant(
        "UPDATE sent_message m SET released_at = x.at FROM (SELECT o.id, n.released_at"
        " + make_interval(hours => (row_number() OVER (ORDER BY o.id))::int) AS at FROM sent_message o"
        " JOIN sent_message n ON n.id = %(m)s WHERE o.case_id = %(case)s) x WHERE m.id = x.id",
        case=case, m=message, rows=6,
    )  # fmt: skip
    sixth = copy.value(
        "SELECT e.event_number FROM sent_message m JOIN effect e ON e.id = m.effect_id WHERE m.case_id = %(case)s"
        " ORDER BY m.id DESC LIMIT 1",
        case=case,
    )

    report = copy.report()

    assert [(one.invariant, one.case, one.event, one.code) for one in report.violations] == [
        ("I8", case, sixth, "contact_cap")
    ]
    assert "was number 6 in seven days; 5 may go" in report.violations[0].why


def test_a_message_went_to_an_address_that_had_ended(copy: Copy) -> None:
    case, event, _, message = _warning(copy)
    released_at = copy.value("SELECT released_at FROM sent_message WHERE id = %(m)s", m=message)
    copy.plant(
        "UPDATE contact_point SET ends_at = %(at)s, ended_because = 'opted_out'"
        " WHERE id = (SELECT contact_point_id FROM sent_message WHERE id = %(m)s)",
        m=message,
        at=released_at - timedelta(hours=1),
    )

    found = copy.found()

    assert ("I8", case, event, "ended") in found
    assert {(one[0], one[3]) for one in found} == {("I8", "ended")}


def test_a_message_went_to_somebody_elses_address(copy: Copy) -> None:
    case, event, _, message = _warning(copy)
    copy.plant(
        "UPDATE sent_message SET contact_point_id = (SELECT id FROM contact_point WHERE party_id = %(other)s"
        " AND channel = 'email') WHERE id = %(m)s",
        m=message, other=copy.story.back.party_id,
    )  # fmt: skip

    assert copy.found() == [("I8", case, event, "ended")]
