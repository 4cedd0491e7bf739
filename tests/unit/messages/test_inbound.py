"""What customers write back, as they write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.flow.messages.context import LANGUAGES
from relight.flow.messages.inbound import Meaning, understand

STOP, PAID, HELP, WRONG, UNKNOWN = Meaning.STOP, Meaning.PAID, Meaning.HELP, Meaning.WRONG_PERSON, Meaning.UNKNOWN

NORWEGIAN = [
    ("STOPP", STOP), ("stop.", STOP), ("Stopp å sende meg SMS!", STOP), ("Ikke send meg mer av dette", STOP),
    ("Stopp masingen, jeg har betalt", STOP),
    ("Har betalt i går", PAID), ("BETALT", PAID), ("Hei, dette har jeg allerede betalt. Mvh Kari", PAID),
    ("Jeg har jo betalt!!", PAID), ("Vippset nå", PAID), ("Er betalt", PAID),
    ("har ikke betalt ennå", UNKNOWN), ("Har jeg ikke betalt denne?", UNKNOWN), ("betaler i morgen", UNKNOWN),
    ("Skal betale når jeg har fått lønn", UNKNOWN), ("Ikke steng strømmen, er du snill", UNKNOWN),
    ("Jeg kan ikke betale før den 20.", HELP), ("kan jeg få betale senere?", HELP), ("har ikke råd", HELP),
    ("HJELP", HELP), ("Kan dere ringe meg", HELP), ("Jeg har ikke betalt fordi jeg ikke har penger", HELP),
    ("feil nummer", WRONG), ("Dette er ikke meg", WRONG), ("Kjenner ikke noen Kari. Feil person", WRONG),
    ("Har betalt, men dette er feil nummer", WRONG),
    ("ok", UNKNOWN), ("Takk", UNKNOWN), ("👍", UNKNOWN), ("", UNKNOWN), ("   ", UNKNOWN),
]  # fmt: skip
OTHERS = [
    ("da", "STOP", STOP), ("da", "Har betalt i går", PAID), ("da", "Jeg kan ikke betale lige nu", HELP),
    ("da", "hjælp", HELP), ("da", "hjaelp", HELP), ("da", "hjalp", HELP), ("da", "Forkert nummer", WRONG),
    ("da", "jeg har ikke betalt", UNKNOWN), ("da", "Det er ikke mig", WRONG), ("da", "Kan jeg få henstand?", HELP),
    ("nl", "Stoppen aub", STOP), ("nl", "is al betaald", PAID), ("nl", "Ik heb gisteren betaald", PAID),
    ("nl", "Ik kan het niet betalen", HELP), ("nl", "graag een betalingsregeling", HELP),
    ("nl", "verkeerd nummer", WRONG), ("nl", "nog niet betaald", UNKNOWN), ("nl", "HULP", HELP),
    ("en", "Stop", STOP), ("en", "please stop texting me, I paid", STOP), ("en", "I've paid", PAID),
    ("en", "I paid this yesterday", PAID), ("en", "I haven't paid", UNKNOWN), ("en", "can't pay until Friday", HELP),
    ("en", "I have not paid", UNKNOWN), ("en", "Wrong number mate", WRONG), ("en", "This isn't me", WRONG),
    ("en", "did I not already paid?", UNKNOWN), ("en", "Please call me", HELP),
    ("de", "STOPP", STOP), ("de", "Ist schon bezahlt", PAID), ("de", "habe gestern überwiesen", PAID),
    ("de", "habe gestern ueberwiesen", PAID), ("de", "noch nicht bezahlt", UNKNOWN),
    ("de", "Ich kann das nicht bezahlen", HELP), ("de", "Ratenzahlung möglich?", HELP),
    ("de", "Falsche Nummer!", WRONG), ("de", "Das bin ich nicht", WRONG),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), NORWEGIAN)
def test_a_norwegian_answer_is_understood(text: str, meaning: Meaning) -> None:
    assert understand(text, "nb") is meaning


@pytest.mark.parametrize(("language", "text", "meaning"), OTHERS)
def test_an_answer_is_understood(language: str, text: str, meaning: Meaning) -> None:
    assert understand(text, language) is meaning


@pytest.mark.parametrize(
    ("text", "meaning"), [("I have paid", PAID), ("falsche Nummer", WRONG), ("STOP", STOP), ("kan niet betalen", HELP)]
)
def test_a_customer_may_answer_in_another_language_than_ours(text: str, meaning: Meaning) -> None:
    assert understand(text, "nb") is meaning


@given(st.text(), st.sampled_from(LANGUAGES))
def test_no_answer_is_too_strange_to_read(text: str, language: str) -> None:
    assert understand(text, language) in Meaning


@given(st.sampled_from([text for text, _ in NORWEGIAN]))
def test_case_and_punctuation_do_not_matter(text: str) -> None:
    assert understand(f"  {text.upper()} !! ", "nb") is understand(text, "nb")
