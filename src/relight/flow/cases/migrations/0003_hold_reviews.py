"""Find the protective holds whose review date has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0002_tenancy")]
    operations = [
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("ends_at__isnull", True), ("protective", True)),
                fields=["partner", "review_date"],
                name="hold_review",
            ),
        ),
    ]
