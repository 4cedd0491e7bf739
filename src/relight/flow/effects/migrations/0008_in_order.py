"""Due effects in one order, also those of one moment; and whose work is due from a place on.

A search goes on behind the last one (flow/road/searching.py), and so do the questions.
"""

from django.db import migrations, models
from django.db.models import Q

PENDING = {
    "effect_due": ("bulk", ["partner", "due_at", "id"]),
    "effect_due_channel": ("bulk", ["partner", "kind", "channel", "due_at", "id"]),
    "effect_due_urgent": ("urgent", ["partner", "due_at", "id"]),
}

# One index probe a partner; states and lanes are literals so that the partial indexes apply. Before a partner's own
# place, or else before `behind`, nothing is due; without them all is looked through.
_AT = "coalesce(s.at, behind, '-infinity')"
_CASE = """SELECT t.wakes_at AS at, t.id FROM dunning_case t
        WHERE t.partner_id = p.id AND t.lane = '{lane}' AND t.wakes_at <= moment
            AND (t.wakes_at, t.id) >= ({at}, coalesce(s.id, 0)) ORDER BY t.wakes_at, t.id LIMIT 1"""
_EFFECT = """SELECT t.due_at AS at, t.id FROM effect t
        WHERE t.partner_id = p.id AND t.state = 'pending' AND t.lane = '{lane}' AND t.due_at <= moment
            AND (t.due_at, t.id) >= ({at}, coalesce(s.id, 0)) ORDER BY t.due_at, t.id LIMIT 1"""
_LOST = """SELECT t.lease_until AS at, 0::bigint AS id FROM effect t
        WHERE t.partner_id = p.id AND t.state = 'in_flight' AND t.lease_until <= moment
            AND t.lease_until >= {at} ORDER BY t.lease_until LIMIT 1"""
# Of the feed it is known by which entry on nothing can come late (flow/feeds/operations.sql).
_FEED = """SELECT moment AS at, 0::bigint AS id FROM feed_pending t
        WHERE t.partner_id = p.id AND t.id > CASE WHEN coalesce(s.at, behind) IS NULL THEN 0
            ELSE coalesce((SELECT h.settled FROM feed_head h WHERE h.partner_id = p.id), 0) END
        ORDER BY t.id LIMIT 1"""
_QUESTIONS = {
    "decide bulk": _CASE.format(lane="bulk", at=_AT),
    "decide urgent": _CASE.format(lane="urgent", at=_AT),
    "release bulk": _EFFECT.format(lane="bulk", at=_AT),
    "release urgent": _EFFECT.format(lane="urgent", at=_AT),
    "lost": _LOST.format(at=_AT),
    "feed": _FEED,
}
_BRANCH = """    WHEN '{name}' THEN RETURN QUERY SELECT p.id, f.at, f.id FROM partner p
        LEFT JOIN unnest(partners, places, ids) s (partner, at, id) ON s.partner = p.id CROSS JOIN LATERAL (
        {question}) f ORDER BY p.id;"""
_BRANCHES = "\n".join(_BRANCH.format(name=name, question=question) for name, question in _QUESTIONS.items())

DUE_PARTNERS = f"""
DROP FUNCTION due_partners(timestamptz, text);
CREATE FUNCTION due_partners(moment timestamptz, which text, behind timestamptz DEFAULT NULL,
    partners integer[] DEFAULT '{{}}', places timestamptz[] DEFAULT '{{}}', ids bigint[] DEFAULT '{{}}')
    RETURNS TABLE (partner integer, due_at timestamptz, due_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = relight, pg_temp AS $$
#variable_conflict use_column
BEGIN
    CASE which
{_BRANCHES}
    END CASE;
END $$;
REVOKE ALL ON FUNCTION due_partners FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_partners TO relight_app;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("relight_effects", "0007_planned_once"),
        ("relight_cases", "0010_due_in_order"),
        ("relight_feeds", "0006_settled_and_tokens"),
    ]
    operations = [
        *(
            operation
            for name, (lane, fields) in PENDING.items()
            for operation in (
                migrations.RemoveIndex("effect", name),
                migrations.AddIndex(
                    "effect", models.Index(fields=fields, condition=Q(state="pending", lane=lane), name=name)
                ),
            )
        ),
        migrations.RunSQL(DUE_PARTNERS, migrations.RunSQL.noop),
    ]
