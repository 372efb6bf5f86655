"""The cluster as tokens show it: who issues them, our audience, and the public keys that they are signed with.

The operator publishes it as the object `ClusterIdentity cluster`, beside the custom resources. It is none itself:
who writes it says whose word is taken for who somebody is, so manifests must not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from paquebot.policy import scalars
from paquebot.policy.faults import Unfit
from paquebot.policy.section import Section

KIND: Final = "ClusterIdentity"
NAME: Final = "cluster"  # there is one
AUDIENCE: Final = "paquebot"
KEYS_MAX: Final = 32

# What is asked of a key of each kind (RFC 7518 §6), and the one algorithm it is used with: a token has no say in it.
_ALGORITHMS: Final = {
    ("RSA", ""): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
}
_NUMBERS: Final = {"RSA": ("n", "e"), "EC": ("x", "y")}
_PRIVATE: Final = ("d", "k")
_NAME_MAX: Final = 1024
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,2048}\Z")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key: its id, the algorithm it is for, and its fields as RFC 7517 writes them."""

    id: str
    algorithm: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """Tokens count that this issuer signed for this audience with one of these keys."""

    issuer: str
    audience: str
    keys: tuple[SigningKey, ...]


def cluster_identity(spec: Section) -> ClusterIdentity:
    """Read the spec of a ClusterIdentity. Keys of kinds we do not use are passed over (RFC 7517 §5)."""
    jwks = spec.section("jwks")
    sections = jwks.sections("keys")
    if len(sections) > KEYS_MAX:
        jwks.fault("keys", f"has {len(sections)} entries", f"give at most {KEYS_MAX}")
    keys = [key for section in sections[:KEYS_MAX] if (key := _key(section)) is not None]
    if not keys:
        jwks.fault("keys", "has none that we use", f"give one for {', '.join(_ALGORITHMS.values())}")
    identity = ClusterIdentity(spec.need("issuer", _name, ""), spec.read("audience", _name, AUDIENCE), tuple(keys))
    spec.finish()
    return identity


def _key(section: Section) -> SigningKey | None:
    for name in _PRIVATE:
        if section.has(name):
            section.fault(name, "is the private part of a key", "publish public keys only, and replace this one")
    kind, curve = section.read("kty", scalars.text, ""), section.read("crv", scalars.text, "")
    algorithm = _ALGORITHMS.get((kind, curve))
    if algorithm is None or section.read("use", scalars.text, "sig") != "sig":
        return None
    if section.read("alg", scalars.text, algorithm) != algorithm:
        return None
    fields = {name: section.need(name, _number, "") for name in _NUMBERS[kind]} | {"kty": kind}
    return SigningKey(section.need("kid", _name, ""), algorithm, fields | ({"crv": curve} if curve else {}))


def _name(value: object) -> str:
    given = scalars.text(value)
    if len(given) <= _NAME_MAX:
        return given
    raise Unfit(f"{scalars.shown(value)} is too long", f"give at most {_NAME_MAX} characters")


def _number(value: object) -> str:
    if isinstance(value, str) and _NUMBER.match(value):
        return value
    raise Unfit(f"{scalars.shown(value)} is not a number in base64url", "give it as the cluster's JWKS does")
