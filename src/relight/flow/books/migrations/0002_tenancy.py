"""Keep partners apart: keys, references within a partner, row-level security. What is closed stays as it is."""

from django.db import migrations

from relight.flow.partners.tenancy import Tenancy

_KEPT = (
    *("books_period", "books_day", "books_balance", "books_open_claim"),
    *("books_act_transfer", "remittance", "remittance_item", "success_terms"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("relight_books", "0001_initial"),
        ("relight_cases", "0002_tenancy"),
        ("relight_claims", "0002_tenancy"),
    ]
    operations = [Tenancy("relight_books", append_only=_KEPT)]
