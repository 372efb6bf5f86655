"""A cluster that issues ServiceAccount tokens, with keys of its own."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from paquebot.policy.cluster import ClusterIdentity
from paquebot.policy.compile import compile_policy

ISSUER = "https://kubernetes.default.svc.cluster.local"
CURVES = {"ES256": SECP256R1, "ES384": SECP384R1, "ES512": SECP521R1}
Key = EllipticCurvePrivateKey | RSAPrivateKey


def new_key(algorithm: str = "ES256", bits: int = 2048) -> Key:
    return generate_private_key(CURVES[algorithm]()) if algorithm in CURVES else generate_rsa(65537, bits)


def jwk(key: Key, algorithm: str, ident: str) -> dict[str, Any]:
    public = key.public_key()
    written: dict[str, Any] = (
        RSAAlgorithm.to_jwk(public, as_dict=True)
        if not isinstance(key, EllipticCurvePrivateKey)
        else ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    )
    written.pop("key_ops", None)
    return written | {"kid": ident, "alg": algorithm, "use": "sig"}


def segment(value: object) -> bytes:
    encoded = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(encoded).rstrip(b"=")


@dataclass(frozen=True)
class Cluster:
    """One issuer with one key, as an API server has it."""

    algorithm: str = "ES256"
    ident: str = "key-1"
    key: Key = field(default_factory=new_key)

    def manifest(self, *more: Mapping[str, Any]) -> dict[str, Any]:
        """Return the object that the operator publishes."""
        return {
            "apiVersion": "paquebot.dev/v1alpha1",
            "kind": "ClusterIdentity",
            "metadata": {"name": "cluster"},
            "spec": {"issuer": ISSUER, "jwks": {"keys": [jwk(self.key, self.algorithm, self.ident), *more]}},
        }

    def identity(self, *more: Mapping[str, Any]) -> ClusterIdentity:
        identity = compile_policy([self.manifest(*more)]).cluster
        assert identity is not None
        return identity

    def token(self, account: str, now_s: float, header: Mapping[str, Any] | None = None, **claims: Any) -> bytes:
        """Return a token for `<namespace>.<name>`, good for an hour; a claim of None is left out."""
        namespace, _, name = account.partition(".")
        said = {
            "aud": ["paquebot"],
            "exp": int(now_s) + 3600,
            "iat": int(now_s),
            "iss": ISSUER,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name}},
            "nbf": int(now_s),
            "sub": f"system:serviceaccount:{namespace}:{name}",
        } | claims
        return self.signed({claim: value for claim, value in said.items() if value is not None}, header)

    def signed(self, claims: object, header: Mapping[str, Any] | None = None) -> bytes:
        """Return whatever is given, signed with the cluster's key."""
        head = {"alg": self.algorithm, "kid": self.ident} | (header or {})
        signing_input = (
            segment({name: value for name, value in head.items() if value is not None}) + b"." + segment(claims)
        )
        signer = jwt.PyJWS().get_algorithm_by_name(self.algorithm)
        return signing_input + b"." + segment(signer.sign(signing_input, self.key))
