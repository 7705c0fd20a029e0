"""Whatever is sent, the answer is a refusal with a known code: never an accident."""

import base64
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.errors import EvidenceRejected
from broker.identity.verifier import Reply
from broker.verifiers.eidas.refusals import REFUSALS
from broker.verifiers.eidas.section import Section
from broker.verifiers.eidas.xml import parsed
from tests.verifiers.eidas.conftest import signed_in_abroad
from tests.verifiers.eidas.node import Node

VERIFIER, ATTEMPT, SOUND = signed_in_abroad()
DOCUMENT = base64.b64decode(SOUND.fields["SAMLResponse"])
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def refused(document: bytes) -> None:
    field = base64.b64encode(document).decode("ascii")
    with pytest.raises(EvidenceRejected) as caught:
        VERIFIER.close(ATTEMPT, Reply({"SAMLResponse": field}))
    assert caught.value.code in REFUSALS


def test_the_document_itself_is_accepted() -> None:
    assert VERIFIER.close(ATTEMPT, SOUND)


@quick
@given(st.data())
def test_no_mutated_answer_is_accepted(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(DOCUMENT) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=12))
    changed = DOCUMENT[:at] + put + DOCUMENT[at + length :]
    # What does not change the canonical form changes nothing: white space within a tag, say.
    assert outcome(changed) in {*REFUSALS, outcome(DOCUMENT)}


def outcome(document: bytes) -> str:
    """The code of the refusal, or what the evidence says."""
    field = base64.b64encode(document).decode("ascii")
    try:
        return repr(VERIFIER.close(ATTEMPT, Reply({"SAMLResponse": field})))
    except EvidenceRejected as refusal:
        return refusal.code


names = st.sampled_from(["a", "b", "samlp:Response", "Response", "ds:Signature"])
trees = st.recursive(
    names.map(lambda name: f"<{name}/>"),
    lambda inner: st.tuples(names, st.lists(inner, max_size=3)).map(
        lambda t: f"<{t[0]}>{''.join(t[1])}</{t[0]}>"
    ),
    max_leaves=12,
)


@quick
@given(trees)
def test_no_tree_whatever_is_an_accident(tree: str) -> None:
    spaces = (
        ' xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
        ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
        ' xmlns="urn:oasis:names:tc:SAML:2.0:assertion"'
    )
    name, mark, rest = tree[1:].partition(
        "/" if tree.endswith("/>") and tree.count("<") == 1 else ">"
    )
    refused(f"<{name}{spaces}{mark}{rest}".encode())


@quick
@given(st.binary(max_size=300))
def test_no_octets_whatever_are_an_accident(octets: bytes) -> None:
    refused(octets)


def test_no_file_is_opened_while_a_document_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOP SECRET")
    bomb = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><a>&x;</a>'
    with pytest.raises(EvidenceRejected, match="eidas_forbidden_xml"):
        parsed(bomb.encode())
    with pytest.raises(EvidenceRejected, match="eidas_forbidden_xml"):
        parsed(bomb.replace("<!DOCTYPE", "<!DOCTYPE\t").encode())


def test_the_library_logs_no_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert VERIFIER.close(ATTEMPT, SOUND)
    assert "Onases" not in caplog.text


def test_a_node_is_described_by_its_section_alone() -> None:
    assert Section.model_validate(Node().section).profile == "eidas"
