"""A provider's word is found by the payment that it is about, and an account's collections newest first, by index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0010_paid_again")]
    operations = [
        migrations.AddIndex(
            "providernotice", models.Index(fields=["partner", "provider_ref"], name="provider_notice_ref")
        ),
        migrations.RemoveIndex("collection", "collection_account"),
        migrations.AddIndex("collection", models.Index(fields=["partner", "account", "id"], name="collection_account")),
    ]
