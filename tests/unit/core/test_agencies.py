"""Which register an agency must stand in, and for whom: data that only tightens."""

import pytest

from relight.core.agencies import register_for


@pytest.mark.parametrize(
    ("country", "debtor", "kind", "asked"),
    [
        ("NO", "consumer", "agency", "Finanstilsynet"),
        ("NO", "business", "agency", "Finanstilsynet"),
        ("NL", "consumer", "agency", "Justis"),
        ("NL", "business", "agency", None),
        ("GB", "consumer", "agency", "FCA"),
        ("NO", "consumer", "attorney", None),
        ("NL", "consumer", "attorney", None),
        ("SE", "consumer", "agency", None),
    ],
)
def test_where_a_look_into_a_register_is_asked_for(country: str, debtor: str, kind: str, asked: str | None) -> None:
    found = register_for(country, debtor, kind)

    assert (found is None) == (asked is None)
    assert asked is None or (found is not None and asked in found[0])
