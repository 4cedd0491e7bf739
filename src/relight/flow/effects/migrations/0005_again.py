"""Effects that were tried and wait to be tried again: an alarm asks each minute which of them have waited for long.

Few rows are ever in it. Without it the question reads all that is due, which at six in the morning is every reminder.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_effects", "0004_by_service")]
    operations = [
        migrations.AddIndex(
            "effect",
            models.Index(
                fields=("partner", "created_at"),
                condition=models.Q(state="pending", attempts__gt=0),
                name="effect_again",
            ),
        ),
    ]
