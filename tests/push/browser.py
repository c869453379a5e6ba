"""The browser's side of web push, in other hands than ours: opens what a push service was given, and looks at who has sent it.

Reads JSON with `private`, `auth` (URL-safe base64 of the browser's private key and secret), `body` (base64), `token` and `key` (of the header
`Authorization: vapid t=…, k=…`); writes JSON with `plain` and `claims`."""

import base64
import json
import sys

import http_ece
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token, key):
    """What the token says; an exception unless this key has signed it."""
    signed, signature = token.rsplit(".", 1)
    signature = decoded(signature)
    halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    public.verify(encode_dss_signature(*halves), signed.encode(), ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(decoded(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}, head
    return claims


given = json.load(sys.stdin)
private = ec.derive_private_key(int.from_bytes(decoded(given["private"]), "big"), ec.SECP256R1())
plain = http_ece.decrypt(
    base64.b64decode(given["body"]), private_key=private, auth_secret=decoded(given["auth"]), version="aes128gcm"
)
claims = claims_of(given["token"], given["key"]) if given.get("token") else None
json.dump({"plain": plain.decode(), "claims": claims}, sys.stdout)
