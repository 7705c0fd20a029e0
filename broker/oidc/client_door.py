"""The one way a client comes in: its proof, then its deed, in one transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import request
from sqlalchemy.orm import Session

from broker.db import reading, transaction
from broker.errors import OAuthError
from broker.oidc import store
from broker.oidc.client import Client
from broker.oidc.client_authentication import (
    Credentials,
    KeyProof,
    authenticate,
    prove_by_key,
    read_credentials,
)
from broker.oidc.client_certificate import chain_holds, client_certificate
from broker.web.tools import tools


@contextmanager
def proved_client(
    form: Mapping[str, str], *, only_reads: bool = False
) -> Iterator[tuple[Session, Client]]:
    """A transaction, and the client that proved to be the sender of this request.

    `/token`, `/introspect`, `/revoke` and `/par` all come in here. An assertion stays used even
    if the deed ends in an OAuthError; the deed itself is then undone. A deed that `only_reads`
    takes no write lock unless the proof itself is used up. Raises OAuthError: invalid_client,
    or invalid_request for two methods at once.
    """
    now = tools().clock()
    shown = read_credentials(
        request.headers.get("Authorization"),
        form,
        client_certificate(),
        chain_holds=chain_holds(),
    )
    proof = _key_proof(shown) if shown.by_key else None
    refused: OAuthError | None = None
    unit = reading if only_reads and proof is None else transaction
    with unit() as tx:
        client = authenticate(tx, shown, proof, now)
        if proof is None or proof.expires is None:
            yield tx, client
            return
        try:
            with tx.begin_nested():
                yield tx, client
        except OAuthError as error:
            refused = error
    if refused is not None:
        raise refused


def _key_proof(shown: Credentials) -> KeyProof | None:
    with reading() as tx:
        client = store.find_client(tx, shown.client_id)
    return prove_by_key(client, shown, tools().settings.issuer, tools().clock())
