"""How a partner's references are made, for bills that come without one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_partners", "0003_own_partner")]
    operations = [migrations.AddField("partner", "reference_setting", models.JSONField(db_default=models.Value("{}")))]
