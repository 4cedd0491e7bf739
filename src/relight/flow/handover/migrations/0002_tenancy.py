"""Keep partners apart, and what was looked up, agreed, said and settled as it was."""

from django.db import migrations

from relight.flow.partners.tenancy import Tenancy


class Migration(migrations.Migration):
    dependencies = [("relight_handover", "0001_initial")]
    operations = [
        Tenancy(
            "relight_handover",
            append_only=(
                "agency_check",
                "agency_fee",
                "handover_claim",
                "agency_notice",
                "agency_settlement",
                "agency_settlement_line",
            ),
        )
    ]
