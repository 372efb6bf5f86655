"""The cluster's identity is read whole, or refused with each fault; nobody's private key travels with it."""

from typing import Any

import pytest

from paquebot.policy.cluster import KEYS_MAX, ClusterIdentity, SigningKey
from paquebot.policy.compile import compile_policy
from paquebot.policy.encode import decode_object, encode_object
from paquebot.policy.faults import PolicyFaults

RSA = {"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB"}
EC = {"kty": "EC", "kid": "two", "crv": "P-256", "x": "AQ", "y": "Ag"}


def identity(name: str = "cluster", **spec: Any) -> dict[str, Any]:
    given = {"issuer": "https://issuer.test", "jwks": {"keys": [RSA, EC]}} | spec
    return {
        "apiVersion": "paquebot.dev/v1alpha1",
        "kind": "ClusterIdentity",
        "metadata": {"name": name},
        "spec": given,
    }


def with_key(**fields: Any) -> dict[str, Any]:
    return identity(jwks={"keys": [RSA, EC | fields]})


def test_issuer_audience_and_keys_are_read() -> None:
    assert compile_policy([identity()]).cluster == ClusterIdentity(
        "https://issuer.test",
        "paquebot",
        (
            SigningKey("one", "RS256", {"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            SigningKey("two", "ES256", {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "Ag"}),
        ),
    )
    cluster = compile_policy([identity(audience="mail.test")]).cluster
    assert cluster is not None
    assert cluster.audience == "mail.test"


def test_it_is_published_like_any_object() -> None:
    _key, encoded = encode_object(identity())
    assert compile_policy([decode_object(encoded)]) == compile_policy([identity()])


@pytest.mark.parametrize(("curve", "algorithm"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")])
def test_the_key_alone_decides_the_algorithm(curve: str, algorithm: str) -> None:
    cluster = compile_policy([with_key(crv=curve)]).cluster
    assert cluster is not None
    assert cluster.keys[1].algorithm == algorithm


@pytest.mark.parametrize(
    "fields",
    [
        {"kty": "OKP", "crv": "Ed25519"},
        {"crv": "secp256k1"},
        {"crv": None},
        {"use": "enc"},
        {"alg": "ES512"},
        {"kty": "RSA", "crv": None, "alg": "PS256", "n": "AQAB", "e": "AQAB"},
    ],
)
def test_keys_we_do_not_use_are_passed_over(fields: dict[str, Any]) -> None:
    cluster = compile_policy([with_key(**fields)]).cluster
    assert cluster is not None
    assert [key.id for key in cluster.keys] == ["one"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (identity("other"), 'metadata.name: is "other", but there is one cluster; write cluster'),
        (identity(issuer=None), "spec.issuer: is missing"),
        (identity(issuer="x" * 1025), "spec.issuer: "),
        (identity(audience=""), 'spec.audience: "" is not text'),
        (identity(extra=1), "spec.extra: is not a known field"),
        (identity(jwks=None), "spec.jwks.keys: has none that we use"),
        (identity(jwks={"keys": [{"kty": "OKP"}]}), "spec.jwks.keys: has none that we use"),
        (identity(jwks={"keys": [EC] * (KEYS_MAX + 1)}), f"spec.jwks.keys: has {KEYS_MAX + 1} entries"),
        (with_key(x="not a number"), 'spec.jwks.keys[1].x: "not a number" is not a number in base64url'),
        (with_key(y=None), "spec.jwks.keys[1].y: is missing"),
        (with_key(d="AQ"), "spec.jwks.keys[1].d: is the private part of a key"),
        (with_key(kty="oct", crv=None, k="AQ"), "spec.jwks.keys[1].k: is the private part of a key"),
    ],
)
def test_what_cannot_be_believed_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([given])
    assert len(refused.value.faults) == 1
    assert told in str(refused.value)


def test_a_value_of_a_private_key_is_not_told_again() -> None:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([with_key(d="c2VjcmV0")])
    assert "c2VjcmV0" not in str(refused.value)


def test_as_many_keys_as_allowed_are_read() -> None:
    cluster = compile_policy([identity(jwks={"keys": [EC] * KEYS_MAX})]).cluster
    assert cluster is not None
    assert len(cluster.keys) == KEYS_MAX
