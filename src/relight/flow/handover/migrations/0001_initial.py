"""Agencies, hand-overs, what agencies said, and what they settled."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("relight_accounts", "0002_tenancy"),
        ("relight_cases", "0002_tenancy"),
        ("relight_claims", "0003_interest"),
        ("relight_effects", "0002_tenancy"),
        ("relight_partners", "0003_own_partner"),
    ]

    operations = [
        migrations.CreateModel(
            name="Agency",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("kind", models.TextField(db_default="agency")),
                ("title", models.TextField()),
                ("org_number", models.TextField(db_default="")),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={
                "db_table": "agency",
            },
        ),
        migrations.CreateModel(
            name="AgencyCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("register", models.TextField()),
                ("number", models.TextField()),
                ("source", models.TextField()),
                ("checked_date", models.DateField()),
                ("valid_until", models.DateField()),
                ("checked_by", models.TextField()),
                ("noted_at", models.DateTimeField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.agency",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={
                "db_table": "agency_check",
            },
        ),
        migrations.CreateModel(
            name="AgencyFee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_date", models.DateField()),
                ("least", models.BigIntegerField(db_default=0)),
                ("basis_points", models.IntegerField(null=True)),
                ("amount", models.BigIntegerField(null=True)),
                ("noted_at", models.DateTimeField()),
                ("noted_by", models.TextField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.agency",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={
                "db_table": "agency_fee",
            },
        ),
        migrations.CreateModel(
            name="AgencySettlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ref", models.TextField()),
                ("file_name", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("settled_date", models.DateField()),
                ("received", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("paid_over", models.BigIntegerField()),
                ("posted_at", models.DateTimeField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.agency",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={
                "db_table": "agency_settlement",
            },
        ),
        migrations.CreateModel(
            name="Handover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ref", models.TextField()),
                ("step_number", models.IntegerField()),
                ("state", models.TextField(db_default="sending")),
                ("currency", models.CharField(max_length=3)),
                ("after_transfer", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                ("placed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("agency_case", models.TextField(db_default="")),
                ("word_at", models.DateTimeField(null=True)),
                ("wanted_back", models.TextField(db_default="")),
                ("wanted_by", models.TextField(db_default="")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_accounts.account",
                    ),
                ),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.agency",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_cases.case",
                    ),
                ),
                (
                    "effect",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_effects.effect",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={
                "db_table": "handover",
            },
        ),
        migrations.CreateModel(
            name="AgencySettlementLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("case_ref", models.TextField()),
                ("payment_ref", models.TextField()),
                ("direct", models.BooleanField(db_default=False)),
                ("received", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("agreed", models.BigIntegerField(null=True)),
                ("wrong", models.TextField(db_default="")),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_claims.payment",
                    ),
                ),
                (
                    "settlement",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.agencysettlement",
                    ),
                ),
                (
                    "handover",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.handover",
                    ),
                ),
            ],
            options={
                "db_table": "agency_settlement_line",
            },
        ),
        migrations.CreateModel(
            name="AgencyNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.TextField()),
                ("status", models.TextField()),
                ("said_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("way", models.TextField()),
                ("body", models.JSONField()),
                ("verdict", models.TextField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.agency",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
                (
                    "handover",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.handover",
                    ),
                ),
            ],
            options={
                "db_table": "agency_notice",
            },
        ),
        migrations.CreateModel(
            name="HandoverClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("principal", models.BigIntegerField()),
                ("costs", models.BigIntegerField()),
                ("interest", models.BigIntegerField()),
                (
                    "claim",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_claims.claim",
                    ),
                ),
                (
                    "handover",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_handover.handover",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={
                "db_table": "handover_claim",
            },
        ),
        migrations.AddConstraint(
            model_name="agency",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("agency", "attorney"))), name="agency_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="agency",
            constraint=models.UniqueConstraint(fields=("partner", "name"), name="agency_name"),
        ),
        migrations.AddConstraint(
            model_name="agencycheck",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_until__gte", models.F("checked_date"))), name="agency_check_valid_until"
            ),
        ),
        migrations.AddConstraint(
            model_name="agencyfee",
            constraint=models.UniqueConstraint(
                fields=("partner", "agency", "from_date", "least"), name="agency_fee_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="agencyfee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount", None), ("basis_points__range", (0, 10000))),
                    models.Q(("amount__gte", 0), ("basis_points", None)),
                    _connector="OR",
                ),
                name="agency_fee_share_or_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="agencysettlement",
            constraint=models.UniqueConstraint(fields=("partner", "agency", "ref"), name="agency_settlement_once"),
        ),
        migrations.AddIndex(
            model_name="handover",
            index=models.Index(fields=["partner", "case"], name="handover_case"),
        ),
        migrations.AddIndex(
            model_name="handover",
            index=models.Index(fields=["partner", "account"], name="handover_account"),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        (
                            "sending",
                            "placed",
                            "accepted",
                            "plan",
                            "legal",
                            "recalled",
                            "refused",
                            "uncollectable",
                            "paid",
                            "failed",
                        ),
                    )
                ),
                name="handover_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="handover",
            constraint=models.UniqueConstraint(fields=("partner", "ref"), name="handover_ref"),
        ),
        migrations.AddConstraint(
            model_name="agencynotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("way__in", ("file", "webhook", "settlement"))), name="agencynotice_way"
            ),
        ),
        migrations.AddConstraint(
            model_name="agencynotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict__in", ("taken", "older", "unknown_case", "differs"))),
                name="agencynotice_verdict",
            ),
        ),
        migrations.AddConstraint(
            model_name="agencynotice",
            constraint=models.UniqueConstraint(fields=("partner", "agency", "message_id"), name="agency_notice_once"),
        ),
        migrations.AddConstraint(
            model_name="handoverclaim",
            constraint=models.UniqueConstraint(fields=("partner", "handover", "claim"), name="handover_claim_once"),
        ),
    ]
