"""ServiceAccount tokens, verified without asking anybody: signature, issuer, audience, times. Pure: `now_s` is given.

They are JSON Web Tokens (RFC 7519, signed as RFC 7515 has it) that the cluster signs for the ServiceAccount of a pod.
The key that a token names decides the algorithm; what the token says of it can only agree. Whose credential an account
may use is not decided here.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError

from paquebot.policy.cluster import ClusterIdentity, SigningKey

LOG = structlog.get_logger()

TOKEN_MAX_BYTES: Final = 8192
LEEWAY_S: Final = 60  # clocks of a cluster's nodes differ
RSA_MIN_BITS: Final = 2048

_TIME_MAX_S: Final = 1 << 40  # a later end is no time
# Both begin with a JSON object's `{"`: what a person chose as password does not look so.
_SHAPE: Final = re.compile(rb"eyJ[A-Za-z0-9_-]*\.eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\Z")
_SUBJECT: Final = re.compile(r"system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})\Z")
_JWS: Final = PyJWS()


@dataclass(frozen=True, slots=True)
class Account:
    """A ServiceAccount, as its token names it."""

    namespace: str
    name: str

    @property
    def username(self) -> str:
        """`<namespace>.<name>`: what a client may give as user name."""
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a token does not count, for the log. `is_signed`: the cluster made it, so nobody was guessing."""

    reason: str
    is_signed: bool = False


def looks_like_token(password: bytes) -> bool:
    """Say whether what was given as password is a token."""
    return _SHAPE.match(password) is not None


def claimed(token: bytes) -> str:
    """Return the subject of a token, unverified: to count by. Empty when it is no ServiceAccount."""
    if len(token) > TOKEN_MAX_BYTES:
        return ""
    try:
        payload = _JWS.decode_complete(token, options={"verify_signature": False})["payload"]
    except PyJWTError:
        return ""
    claims = _claims(payload)
    return str(claims["sub"]) if isinstance(_account(claims), Account) else ""


class Verifier:
    """Knows the keys of a cluster."""

    __slots__ = ("_identity", "_keys")

    def __init__(self, identity: ClusterIdentity) -> None:
        """Take the cluster's identity. Keys that are none are told in the log and left out."""
        self._identity = identity
        self._keys = {(each.id, each.algorithm): key for each in identity.keys if (key := _key(each)) is not None}

    def __repr__(self) -> str:
        return f"<Verifier {self._identity.issuer} {len(self._keys)} keys>"

    def verify(self, token: bytes, now_s: float) -> Account | Unfit:
        """Return whose token this is, or why it does not count. Whatever it holds, nothing is raised."""
        if len(token) > TOKEN_MAX_BYTES:
            return Unfit("token too large")
        try:
            header = _JWS.get_unverified_header(token)
            key = self._keys.get((str(header.get("kid")), str(header.get("alg"))))
            if key is None:
                return Unfit("token signed with an unknown key")
            payload = _JWS.decode(token, key, [key.algorithm_name])
        except InvalidSignatureError:
            return Unfit("token with a wrong signature")
        except PyJWTError:
            return Unfit("no token")
        claims = _claims(payload)
        for rule in _RULES:
            reason = rule(claims, self._identity, now_s)
            if reason:
                return Unfit(reason, is_signed=True)
        return _account(claims)


def _key(given: SigningKey) -> PyJWK | None:
    try:
        key = PyJWK(dict(given.fields), given.algorithm)
    except PyJWTError as fault:
        LOG.error("a key of the cluster cannot be used", key=given.id, why=str(fault))  # noqa: TRY400
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < RSA_MIN_BITS:
        LOG.error("a key of the cluster is too short", key=given.id, bits=key.key.key_size)
        return None
    return key


def _claims(payload: bytes) -> dict[str, object]:
    """Return what a token says; nothing when it says nothing we can read."""
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _issuer(claims: dict[str, object], identity: ClusterIdentity, _now_s: float) -> str:
    return "" if claims.get("iss") == identity.issuer else "token of another issuer"


def _audience(claims: dict[str, object], identity: ClusterIdentity, _now_s: float) -> str:
    """Look for us among those that the token is for: one as text, or a list (RFC 7519 §4.1.3)."""
    given = claims.get("aud")
    audiences = given if isinstance(given, list) else [given]
    return "" if identity.audience in audiences else "token for another audience"


def _expiry(claims: dict[str, object], _identity: ClusterIdentity, now_s: float) -> str:
    """Look at the end, which a token must have: a leaked one would be good for ever."""
    end_s = _time_s(claims.get("exp"))
    if end_s is None:
        return "token without end"
    return "token expired" if now_s >= end_s + LEEWAY_S else ""


def _beginning(claims: dict[str, object], _identity: ClusterIdentity, now_s: float) -> str:
    start_s = _time_s(claims.get("nbf", 0))
    return "token not valid yet" if start_s is None or now_s < start_s - LEEWAY_S else ""


def _subject(claims: dict[str, object], _identity: ClusterIdentity, _now_s: float) -> str:
    found = _account(claims)
    return found.reason if isinstance(found, Unfit) else ""


_RULES: Final[tuple[Callable[[dict[str, object], ClusterIdentity, float], str], ...]] = (
    _issuer,
    _audience,
    _expiry,
    _beginning,
    _subject,
)


def _time_s(value: object) -> float | None:
    """Return a NumericDate (RFC 7519 §2): seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _TIME_MAX_S:
        return None
    return float(value)


def _account(claims: dict[str, object]) -> Account | Unfit:
    subject = claims.get("sub")
    match = _SUBJECT.match(subject) if isinstance(subject, str) else None
    return Account(match[1], match[2]) if match else Unfit("token of no ServiceAccount", is_signed=True)
