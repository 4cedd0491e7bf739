"""Ways to find roles by account, and devices by access point, whatever their period.

Every turn asks who owes on its accounts, and every command which device hangs at the access point. The unique keys are
for rows without an end only and the questions are not, so both were read whole: 50,000 rows for a batch of 200.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_accounts", "0002_tenancy")]
    operations = [
        migrations.AddIndex("accountrole", models.Index(fields=("partner", "account"), name="account_role_account")),
        migrations.AddIndex("device", models.Index(fields=("partner", "access_point"), name="device_access_point")),
    ]
