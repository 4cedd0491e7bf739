"""What a payment provider's refusal says is logged: its status and its code, and no sentence about a customer."""

import httpx
import pytest

from relight.drivers.payment_http import Api, Refused, lack

_SENTENCE = "Kari Nordmann, Storgata 1, is not known"


def refusal(answer: httpx.Response) -> Refused:
    """What our side makes of a provider's answer."""
    api = Api("mollie", "https://api.example")
    api._client = httpx.Client(base_url="https://api.example", transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(Refused) as refused:
        api.ask("POST", "/payments", json={"amount": "1.00"})
    return refused.value


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(422, json={"title": _SENTENCE, "detail": _SENTENCE}), "422: Unprocessable Entity"),
        (httpx.Response(403, json={"message": _SENTENCE, "errorCode": "14_030"}), "403: Forbidden, 14_030"),
        (httpx.Response(400, json={"errorCode": _SENTENCE}), "400: Bad Request"),
        (httpx.Response(400, json={"errorCode": "4790000001"}), "400: Bad Request"),
        (httpx.Response(400, json=[_SENTENCE]), "400: Bad Request"),
        (httpx.Response(404, text=_SENTENCE), "404: Not Found"),
        (httpx.Response(418, extensions={"reason_phrase": _SENTENCE.encode()}), "418: I'm a Teapot"),
        (httpx.Response(499), "499: no status of HTTP's"),
    ],
)
def test_a_refusal_says_its_status_and_its_code_and_repeats_no_sentence(answer: httpx.Response, told: str) -> None:
    found = refusal(answer)

    assert str(found) == f"mollie answered {told}"
    assert found.status == answer.status_code


def test_of_an_answer_that_cannot_be_read_only_the_name_that_was_looked_for_is_told() -> None:
    wrong = [KeyError("redirectUrl"), KeyError(_SENTENCE), ValueError(f"no number: {_SENTENCE}"), KeyError()]

    assert [lack(one) for one in wrong] == ["'redirectUrl'", "KeyError", "ValueError", "KeyError"]
