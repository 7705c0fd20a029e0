import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from broker.audit.merkle import EMPTY
from broker.audit.note import (
    Checkpoint,
    NoteRejected,
    decode,
    encode,
    open_checkpoint,
    open_note,
    parse_verifier_key,
    sign,
    verifier_key,
)

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG = "log.test/audit"
HEAD = Checkpoint(LOG, 7, EMPTY)


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    signed = sign(HEAD.text(), LOG, KEY)
    lines = signed.split("\n")
    assert lines[:4] == [LOG, "7", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", ""]
    assert lines[4].startswith(f"— {LOG} ")
    assert lines[5:] == [""]
    assert open_checkpoint(signed, verifier_key(LOG, KEY)) == HEAD


def test_the_note_that_go_publishes_as_its_example_opens() -> None:
    # golang.org/x/mod/sumdb/note: the key and note of its documentation.
    key = parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
        "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )  # fmt: skip
    assert open_note(f"{text}\n— PeterNeumann {signature}\n", key) == text


def test_a_verifier_key_survives_its_own_line() -> None:
    key = verifier_key(LOG, KEY)
    assert parse_verifier_key(f"{key}\n") == key


@pytest.mark.parametrize(
    "line",
    [
        "",
        "log",
        "log+00000000+",
        "+00000000+AQ==",
        str(verifier_key(LOG, KEY)).replace(LOG, "log.test/other"),
        str(verifier_key(LOG, KEY))[:-4],
        f"{LOG}+{verifier_key(LOG, KEY).id.hex()}+{encode(b'x04' + bytes(32))}",
    ],
)
def test_a_verifier_key_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(NoteRejected):
        parse_verifier_key(line)


def test_another_logs_key_does_not_open_it() -> None:
    with pytest.raises(NoteRejected, match="known key"):
        open_note(sign(HEAD.text(), LOG, KEY), verifier_key(LOG, OTHER))


def test_another_key_of_the_same_name_is_passed_over() -> None:
    stranger = sign(HEAD.text(), LOG, OTHER).split("\n")[-2]
    both = sign(HEAD.text(), LOG, KEY) + stranger + "\n"
    assert open_checkpoint(both, verifier_key(LOG, KEY)) == HEAD


def test_a_signature_under_our_keys_id_must_hold() -> None:
    key = verifier_key(LOG, KEY)
    forged = f"{HEAD.text()}\n— {LOG} {encode(key.id + OTHER.sign(HEAD.text().encode()))}\n"
    with pytest.raises(NoteRejected, match="does not hold"):
        open_note(forged, key)


def test_one_forged_signature_beside_a_true_one_spoils_the_note() -> None:
    key = verifier_key(LOG, KEY)
    forged = f"— {LOG} {encode(key.id + bytes(64))}\n"
    with pytest.raises(NoteRejected, match="does not hold"):
        open_note(sign(HEAD.text(), LOG, KEY) + forged, key)


@pytest.mark.parametrize(
    "text",
    [
        f"other.test\n7\n{encode(EMPTY)}\n",
        f"{LOG}\n07\n{encode(EMPTY)}\n",
        f"{LOG}\n-7\n{encode(EMPTY)}\n",
        f"{LOG}\n7 \n{encode(EMPTY)}\n",
        f"{LOG}\n٧\n{encode(EMPTY)}\n",
        f"{LOG}\n7\n{encode(EMPTY[:31])}\n",
        f"{LOG}\n7\n{encode(EMPTY)[:-1]}\n",
        f"{LOG}\n7\n",
        f"{LOG}\n7\n{encode(EMPTY)}\n\nline\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text: str) -> None:
    with pytest.raises(NoteRejected):
        open_checkpoint(sign(text, LOG, KEY), verifier_key(LOG, KEY))


@pytest.mark.parametrize("more", ["a\ttab\n", "a return\r\n", "\x00\n", "x" * 65_536 + "\n"])
def test_control_characters_and_notes_without_end_are_refused_though_signed(more: str) -> None:
    key, text = verifier_key(LOG, KEY), HEAD.text() + more
    signed = f"{text}\n— {LOG} {encode(key.id + KEY.sign(text.encode()))}\n"
    with pytest.raises(NoteRejected, match="not a note"):
        open_checkpoint(signed, key)


def test_a_signature_line_without_a_signature_spoils_the_note() -> None:
    with pytest.raises(NoteRejected, match="too short"):
        open_note(sign(HEAD.text(), LOG, KEY) + "— other AAAAAA==\n", verifier_key(LOG, KEY))


def test_extension_lines_are_allowed() -> None:
    text = HEAD.text() + "something more\n"
    assert open_checkpoint(sign(text, LOG, KEY), verifier_key(LOG, KEY)) == HEAD


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"])
def test_a_log_needs_a_name_without_spaces_and_plus(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        verifier_key(name, KEY)


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "return\r\n", "half \ud800\n"])
def test_only_lines_are_signed(text: str) -> None:
    with pytest.raises(ValueError, match="lines"):
        sign(text, LOG, KEY)


@pytest.mark.parametrize("text", ["AB==", "AA", "AA== ", "A-__", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(NoteRejected):
        decode(text)


@given(st.data())
def test_a_changed_character_never_opens(data: st.DataObject) -> None:
    signed = sign(HEAD.text(), LOG, KEY)
    at = data.draw(st.integers(0, len(signed) - 1))
    other = data.draw(st.characters().filter(lambda c: c != signed[at]))
    with pytest.raises(NoteRejected):
        open_checkpoint(signed[:at] + other + signed[at + 1 :], verifier_key(LOG, KEY))


@given(st.text(max_size=200) | st.text("—ab 09+/=\n", max_size=200))
def test_opening_never_fails_otherwise(text: str) -> None:
    with pytest.raises(NoteRejected):
        open_checkpoint(text, verifier_key(LOG, KEY))
    with pytest.raises(NoteRejected):
        parse_verifier_key(text)


@pytest.mark.parametrize("broken", [f"{LOG}\n7\n\ud800\n\n— {LOG} AAAA\n", "\ud800+a+b"])
def test_text_that_is_not_utf8_is_refused(broken: str) -> None:
    with pytest.raises(NoteRejected):
        open_checkpoint(broken, verifier_key(LOG, KEY))
    with pytest.raises(NoteRejected):
        parse_verifier_key(broken)
