"""The verifier: what it accepts, what it claims, and how it refuses everything else."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from broker.errors import EvidenceRejected
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.identity.verifier import Attempt, Page, Reply
from broker.verifiers.mrz import READER, MrzVerifier, Worker
from broker.verifiers.mrz.answer import Answer, Cause
from tests.verifiers.mrz.pictures import GOOD, answer_to, encoded, here, plain, specimen
from tests.verifiers.mrz.writer import Document, Holder, td1, td2, td3, visa

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHOTOGRAPH = encoded(plain())
HOLDER = Holder("EL AMRANI", "SALMA NOUR", "MAR", "910304", "F")
PASSPORT = Document("P", "MAR", "AB1234567", "310228", optional="BK654321")
LINES = td3(HOLDER, PASSPORT)


def attempt(now: datetime = NOW) -> Attempt:
    return Attempt(handle="h1", now=now, locale="fr")


def shown(
    *zones: tuple[str, ...],
    now: datetime = NOW,
    specimens: bool = False,
    files: dict[str, bytes] | None = None,
) -> Evidence:
    """What comes of a photograph in which the engine finds these zones."""
    verifier = MrzVerifier(here(lambda _: Answer(zones)), specimens=specimens)
    uploads = {"photograph": PHOTOGRAPH} if files is None else files
    return verifier.close(attempt(now), Reply(files=uploads))


def refusal(*zones: tuple[str, ...], now: datetime = NOW, **more: object) -> str:
    with pytest.raises(EvidenceRejected) as caught:
        shown(*zones, now=now, **more)  # type: ignore[arg-type]  # only options of `shown`
    assert caught.value.code in MrzVerifier.refusals
    assert not any(word in caught.value.hint for word in ("AMRANI", "AB1234567", "910304"))
    return caught.value.code


def test_opening_asks_for_a_photograph_and_remembers_nothing() -> None:
    opening = MrzVerifier(lambda _: Answer()).open(attempt())
    assert opening.show == Page("mrz/photograph.html", {"attempt": "h1"})
    assert opening.remember == {}


def test_every_claim_names_its_place_in_the_zone() -> None:
    assert shown(LINES).claims == (
        Claim("family_name", "EL AMRANI", "line 1, 6–44"),
        Claim("given_name", "SALMA NOUR", "line 1, 6–44"),
        Claim("birthdate", "1991-03-04", "line 2, 14–19"),
        Claim("gender", "female", "line 2, 21"),
        Claim("nationalities", "MAR", "line 2, 11–13"),
        Claim("document_type", "passport", "line 1, 1–2"),
        Claim("document_number", "AB1234567", "line 2, 1–9"),
        Claim("issuing_state", "MAR", "line 1, 3–5"),
        Claim("expiry_date", "2031-02-28", "line 2, 22–27"),
        Claim("personal_number", "BK654321", "line 2, 29–42"),
        Claim("document_format", "TD3", "2 × 44"),
    )


def test_letters_that_were_seen_least_well_are_told_with_their_name() -> None:
    sure = tuple(tuple(400 if at == 8 else 1000 for at in range(44)) for _ in LINES)
    verifier = MrzVerifier(here(lambda _: Answer((LINES,), sure=(sure,))))
    claims = verifier.close(attempt(), Reply(files={"photograph": PHOTOGRAPH})).claims
    assert {claim.name: claim.faint for claim in claims if claim.faint} == {"family_name": (3,)}


def test_evidence_of_a_photograph_expires_with_the_passport() -> None:
    evidence = shown(LINES)
    assert (evidence.kind, evidence.at, evidence.expires) == ("mrz_photo", NOW, date(2031, 2, 28))


def test_a_photograph_proves_arithmetic_and_says_what_it_does_not_prove() -> None:
    assert shown(LINES).checks == (
        Check("data", "check_digits", Outcome.PASSED),
        Check("data", "issuing_state_known", Outcome.PASSED),
        Check("data", "not_specimen", Outcome.PASSED),
        Check("data", "not_expired", Outcome.PASSED),
        Check("data", "names_whole", Outcome.PASSED),
        Check("vcrypt", "issuer_signature", Outcome.SKIPPED),
        Check("vpiruv", "document_genuine", Outcome.SKIPPED),
        Check("pvr", "holder_present", Outcome.SKIPPED),
    )


def test_what_the_zone_leaves_open_is_not_claimed() -> None:
    nameless = Holder("ARKFREITH", "", "XXA", "74<<<<", "<")
    evidence = shown(td3(nameless, Document(state="FRA")))
    assert evidence.value("given_name") is None
    assert evidence.value("gender") is None
    assert evidence.value("personal_number") is None
    assert evidence.value("birthdate") == "1974-00-00"
    assert evidence.value("nationalities") == "XXA"


def test_truncated_names_are_taken_and_marked() -> None:
    long = Holder("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", "THA")
    assert Check("data", "names_whole", Outcome.FAILED) in shown(td3(long, PASSPORT)).checks


def test_sex_x_is_claimed_as_it_stands() -> None:
    assert shown(td3(Holder(nationality="MAR", sex="X"), PASSPORT)).value("gender") == "X"


def test_the_last_day_still_counts() -> None:
    last = datetime(2031, 2, 28, 23, 59, tzinfo=UTC)
    assert shown(LINES, now=last).expires == date(2031, 2, 28)
    assert refusal(LINES, now=last + timedelta(minutes=1)) == "mrz_expired"


def test_no_zone_is_told_apart_from_a_bad_one() -> None:
    assert refusal() == "mrz_not_found"
    assert refusal((LINES[0], LINES[1].replace("910304", "910305"))) == "mrz_unreadable"


@pytest.mark.parametrize("place", [9, 19, 27, 42, 43])
def test_every_check_digit_of_a_passport_is_demanded(place: int) -> None:
    second = LINES[1]
    wrong = str((int(second[place]) + 1) % 10)
    assert refusal((LINES[0], second[:place] + wrong + second[place + 1 :])) == "mrz_unreadable"


def test_impossible_fields_are_unreadable() -> None:
    assert refusal(td3(Holder(birth="910231"), PASSPORT)) == "mrz_unreadable"
    assert refusal(("P<", "")) == "mrz_unreadable"


def test_two_documents_are_refused_even_if_one_is_good() -> None:
    assert refusal(LINES, td3(Holder(), Document())) == "mrz_two_documents"


@pytest.mark.parametrize("write", [td1, td2])
def test_an_identity_card_is_told_that_it_is_no_passport(write: object) -> None:
    lines = write(HOLDER, Document("I", "MAR", "AB1234567"))  # type: ignore[operator]
    assert refusal(lines) == "mrz_identity_card"


def test_the_old_french_card_is_an_identity_card_too() -> None:
    french = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")
    assert refusal(french) == "mrz_identity_card"


@pytest.mark.parametrize("width", [36, 44])
def test_a_visa_is_told_that_it_is_no_passport(width: int) -> None:
    assert refusal(visa(HOLDER, Document("V", "FRA", "AB1234567"), width)) == "mrz_visa"


def test_a_state_that_does_not_exist_is_refused() -> None:
    assert refusal(td3(HOLDER, Document(state="MAK"))) == "mrz_unknown_state"
    assert refusal(td3(Holder(nationality="MAK"), PASSPORT)) == "mrz_unknown_state"


def test_a_specimen_is_refused_unless_this_is_a_demonstration() -> None:
    assert refusal(GOOD) == "mrz_specimen"
    checks = shown(GOOD, specimens=True).checks
    assert Check("data", "not_specimen", Outcome.FAILED) in checks


def test_an_input_left_empty_is_no_picture() -> None:
    assert shown(LINES, files={"camera": b"", "photograph": PHOTOGRAPH}).kind == "mrz_photo"


def test_all_pictures_are_read_together_and_three_are_the_most() -> None:
    sizes: list[int] = []

    def count(uploads: Sequence[bytes]) -> Answer:
        sizes.append(len(uploads))
        return Answer((LINES,))

    for n in (1, 2, 3, 7):
        files = {f"photograph.{i}": PHOTOGRAPH for i in range(n)}
        MrzVerifier(count).close(attempt(), Reply(files=files))
    assert sizes == [1, 2, 3, 3]


CODES = (
    "mrz_not_found",
    "mrz_too_small",
    "mrz_blurred",
    "mrz_glare_start",
    "mrz_glare_middle",
    "mrz_glare_end",
    "mrz_cut_off",
    "mrz_unreadable",
    "mrz_unsure",
)


@pytest.mark.parametrize("code", CODES)
def test_a_person_is_told_why_nothing_was_read(code: str) -> None:
    with pytest.raises(EvidenceRejected) as caught:
        MrzVerifier(lambda _: Answer(cause=Cause(code))).close(
            attempt(), Reply(files={"photograph": PHOTOGRAPH})
        )
    assert caught.value.code == code
    assert code in MrzVerifier.refusals


def test_there_is_a_cause_for_each_of_these_codes() -> None:
    assert set(Cause) == set(CODES)


def test_no_picture_is_told_apart_from_a_bad_one() -> None:
    assert refusal(LINES, files={}) == "picture_missing"
    assert refusal(LINES, files={"photograph": b"", "camera": b""}) == "picture_missing"
    assert refusal(LINES, files={"photograph": b"%PDF-1.7"}) == "picture_damaged"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("specimen-expired.jpg", "mrz_expired"),
        ("specimen-damaged.jpg", "mrz_unreadable"),
        ("specimen-two-documents.jpg", "mrz_two_documents"),
        ("specimen-visa.jpg", "mrz_visa"),
        ("specimen-identity-card.jpg", "mrz_identity_card"),
        ("no-document.jpg", "mrz_not_found"),
    ],
)
def test_photographs_are_refused_with_their_own_answer(name: str, code: str) -> None:
    verifier = MrzVerifier(lambda _: answer_to(name), specimens=True)
    with pytest.raises(EvidenceRejected) as caught:
        verifier.close(attempt(), Reply(files={"photograph": specimen(name)}))
    assert caught.value.code == code


def test_the_photographed_specimen_becomes_evidence() -> None:
    verifier = MrzVerifier(Worker(READER), specimens=True)
    reply = Reply(files={"photograph": specimen("specimen-photograph.jpg")})
    evidence = verifier.close(attempt(), reply)
    assert evidence.value("family_name") == "MARLOWE"
    assert evidence.value("given_name") == "INES CLAIRE"
    assert evidence.expires == date(2035, 9, 17)


@pytest.mark.parametrize("name", ["specimen-photograph-sideways.jpg", "specimen-upside-down.jpg"])
def test_a_specimen_is_read_whichever_way_up_it_was_photographed(name: str) -> None:
    assert answer_to(name).zones == (GOOD,)
