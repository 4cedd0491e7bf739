"""How far nothing can come late any more, so that a sequencer need not walk past what it has taken while somebody holds
an old snapshot; and tokens, by which readers prove over HTTP who they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_feeds", "0005_lean_keys")]
    operations = [
        migrations.AddField("feedhead", "settled", models.BigIntegerField(db_default=0)),
        migrations.AddField("feedhead", "seen", models.BigIntegerField(db_default=0)),
        migrations.AddField("feedhead", "seen_before", models.BigIntegerField(db_default=0)),
        migrations.AddField("feedreader", "token_digest", models.TextField(db_default="")),
    ]
