"""keys/ → which key signs, which still verify, and the secrets that never leave this machine.

    keys/ES256.20261123T080000Z.pem     signs from that moment on, until a newer one takes over
    keys/ES256.20270101T080000Z.pkcs11  the same, in a security module (PKCS#11)
    keys/RS256.….pem, PS256.….pem, EdDSA.….pem
    keys/saml-*.pem                     key and certificate for SAML, named by a scheme's file
    keys/checkpoint.pem                 Ed25519, signs the record's checkpoints
    keys/wrapping.key                   32 bytes: wraps every account's own key
    keys/pairwise.key                   32 bytes: turns accounts into pairwise subjects
    keys/browser.key                    32 bytes: form tokens and other short-lived seals

Rotation is adding a file: a key dated in the future is published before it signs, which is
what relying services that cache our JWKS need. A key that another took over from is still
published for a while, then retired; no restart is needed for any of it.
"""

from broker.keyring.algorithm import ALGORITHMS, REQUIRED, generate
from broker.keyring.certified import make as make_certified
from broker.keyring.folder import SECRETS, init, load, make_in_module, retire, rotate
from broker.keyring.held import HeldKeyring
from broker.keyring.key import Keyring, KeysMissing, SigningKey, State, state, superseded_at
from broker.keyring.module import ModuleFailed
from broker.keyring.sealing import SealBroken, Unlock, read_private_pem, unlock, unsealed

__all__ = [
    "ALGORITHMS",
    "REQUIRED",
    "SECRETS",
    "HeldKeyring",
    "Keyring",
    "KeysMissing",
    "ModuleFailed",
    "SealBroken",
    "SigningKey",
    "State",
    "Unlock",
    "generate",
    "init",
    "load",
    "make_certified",
    "make_in_module",
    "read_private_pem",
    "retire",
    "rotate",
    "state",
    "superseded_at",
    "unlock",
    "unsealed",
]
