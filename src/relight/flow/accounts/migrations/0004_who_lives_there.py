"""Services by access point: each turn asks whether somebody else's has begun there since."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_accounts", "0003_lookups")]
    operations = [
        migrations.AddIndex("service", models.Index(fields=("partner", "access_point"), name="service_access_point")),
    ]
