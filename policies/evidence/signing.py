"""
Statements in, signed envelopes out, and back: in-toto in DSSE, with Ed25519 by default.

Whatever is a Signer of securesystemslib can sign: a key in a file, or one in a device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://pci-gate.invalid/evidence/v1"


class KeyRefused(ValueError):
    """A text that is no Ed25519 key."""


class EnvelopeRefused(ValueError):
    """An envelope that is not the one that was signed."""


def made() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, both as PEM."""
    signer = CryptoSigner.generate_ed25519()
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer.public_key.keyval["public"]))
    private: bytes = signer.private_bytes
    return private, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signer(pem: bytes) -> Signer:
    """
    Return what signs with the private key in *pem* (PKCS 8).

    Raises:
        KeyRefused: It is none, or of another kind.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise KeyRefused("no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused("no Ed25519 key")
    return CryptoSigner(key)


def public_key(pem: bytes) -> Key:
    """
    Return the public key in *pem*.

    Raises:
        KeyRefused: It is none, or of another kind.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError) as error:
        raise KeyRefused("no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRefused("no Ed25519 key")
    return SSlibKey.from_crypto(key)


def canonical(value: Any) -> bytes:
    """Return *value* as canonical JSON (RFC 8785)."""
    return rfc8785.dumps(value)


def sealed(subjects: Mapping[str, str], predicate: Mapping[str, Any], by: Signer) -> bytes:
    """Return a statement about *subjects*, digests (SHA-256) by name, in an envelope of its own."""
    statement = {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in sorted(subjects.items())
        ],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    envelope = Envelope(canonical(statement), PAYLOAD, {})
    envelope.sign(by)
    return canonical(envelope.to_dict())


def require_signed(raw: bytes, key: Key, name: str, content: bytes) -> None:
    """
    Demand that the envelope *raw* is a statement of *key* about the file *name* with *content*.

    Raises:
        EnvelopeRefused: It is one about something else, or none.
    """
    statement = opened(raw, key)
    subject = [{"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}]
    if statement["subject"] != subject or canonical(statement["predicate"]) != content:
        raise EnvelopeRefused(f"is a statement about another {name}")


def opened(raw: bytes, key: Key) -> dict[str, Any]:
    """
    Return the statement in the envelope *raw*, which *key* signed.

    Only the canonical form is taken: a decoder that forgives lets through what was changed.

    Raises:
        EnvelopeRefused: It was changed, signed by somebody else, or is none.
    """
    try:
        envelope = Envelope.from_dict(json.loads(raw))
        statement: dict[str, Any] = json.loads(envelope.payload)
        is_canonical = canonical(envelope.to_dict()) == raw
        is_canonical = is_canonical and canonical(statement) == envelope.payload
        is_ours = envelope.payload_type == PAYLOAD and set(envelope.signatures) == {key.keyid}
        envelope.verify([key], 1)
    except VerificationError as error:
        raise EnvelopeRefused("was not signed with this key") from error
    except Exception as error:  # whatever its decoders make of it, it is none
        raise EnvelopeRefused(f"is no envelope: {type(error).__name__}") from error
    if not is_canonical:
        raise EnvelopeRefused("is not in its canonical form")
    if not is_ours or statement.get("predicateType") != PREDICATE:
        raise EnvelopeRefused("is a statement about something else")
    return statement
