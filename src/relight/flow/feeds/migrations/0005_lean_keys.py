"""The busiest tables need no reference of their own to the partner: their rows point at a row of the same partner, by
keys that hold the partner, and that row has one. What waits for its place in the feed is held when it gets it.

Each of these was looked up row by row at every commit, and locked the partner's own row for all workers.
"""

from django.db import migrations

NAMES = {
    "block": "block_partner_id_9a5855ac_fk_partner_id",
    "case_event": "case_event_partner_id_ebcc3acc_fk_partner_id",
    "claim": "claim_partner_id_1dd0bf99_fk_partner_id",
    "claim_line": "claim_line_partner_id_d9975e06_fk_partner_id",
    "dunning_case": "dunning_case_partner_id_767b0f68_fk_partner_id",
    "effect": "effect_partner_id_0487c26a_fk_partner_id",
    "feed_pending": "feed_pending_partner_id_20843a09_fk_partner_id",
    "step_claim": "step_claim_partner_id_8a93f8a0_fk_partner_id",
    "step_taken": "step_taken_partner_id_15a6a35c_fk_partner_id",
    "supply": "supply_partner_id_335ab96f_fk_partner_id",
}


class Migration(migrations.Migration):
    dependencies = [
        ("relight_feeds", "0004_blocked"),
        ("relight_cases", "0009_undo"),
        ("relight_claims", "0008_on_no_account"),
        ("relight_effects", "0005_again"),
        ("relight_supply", "0003_waiting"),
    ]
    operations = [
        migrations.RunSQL(
            f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (partner_id) REFERENCES partner (id)'
            " DEFERRABLE INITIALLY DEFERRED",
        )
        for table, name in NAMES.items()
    ]
