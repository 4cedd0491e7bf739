"""Our own descriptions of payment APIs against the published ones: same calls, nothing sent that is not known there,
nothing left out that is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

OURS = Path(__file__).parents[1] / "counterparts" / "specs"
# Ours, the published one, what ours puts before its paths, and the calls that are described elsewhere.
PAIRS = [
    ("vipps.yaml", "vipps-epayment.yaml", "", ("/accesstoken", "/report")),
    ("adyen.yaml", "adyen-checkout-v71.json", "/v71", ("/reports",)),
]


def resolved(document: Any, node: Any) -> Any:
    """A schema with its reference followed; references into other files are left open."""
    while isinstance(node, dict) and str(node.get("$ref", "")).startswith("#/"):
        found = document
        for part in node["$ref"][2:].split("/"):
            found = found[part]
        node = found
    return node


def sent(document: Any, operation: Any) -> tuple[set[str], set[str]]:
    """What a request may hold, and what it must."""
    body = resolved(document, operation.get("requestBody", {}))
    schema = resolved(document, body.get("content", {}).get("application/json", {}).get("schema", {}))
    return set(schema.get("properties", {})), set(schema.get("required", ()))


def calls(document: Any, before: str, elsewhere: tuple[str, ...]) -> dict[tuple[str, str], Any]:
    """Operations by method and path, the path's own names taken out."""
    return {
        (method, "/".join("{}" if part.startswith("{") else part for part in path.removeprefix(before).split("/"))): it
        for path, item in document["paths"].items()
        if not path.startswith(elsewhere)
        for method, it in item.items()
        if method in ("get", "post", "patch", "delete")
    }


@pytest.mark.parametrize(("ours", "published", "before", "elsewhere"), PAIRS, ids=["vipps", "adyen"])
def test_what_we_describe_is_what_is_published(
    ours: str, published: str, before: str, elsewhere: tuple[str, ...], shared: Path
) -> None:
    text = (shared / "specs" / published).read_text("utf-8")
    theirs = json.loads(text) if published.endswith("json") else yaml.safe_load(text)
    own = yaml.safe_load((OURS / ours).read_text("utf-8"))

    known, described = calls(theirs, "", ()), calls(own, before, elsewhere)

    assert set(described) <= set(known)
    for call, operation in described.items():
        may, must = sent(own, operation)
        their_may, their_must = sent(theirs, known[call])
        assert must >= their_must, call
        if may and their_may:
            assert may <= their_may | {"cancelTransactionOnly"}, call
