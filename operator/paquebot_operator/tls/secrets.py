"""Certificates as Secrets hold them, read into what `rotation` decides on, and written as it says. Pure but for keys.

The authority's Secret holds each root as `<id>.crt` and `<id>.key`, their ids, oldest first, as `roots`, and the id of
the one that issues as `active`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from paquebot.runtime.authority import Pair, make_leaf
from paquebot_operator import times
from paquebot_operator.names import GROUP, MANAGED_BY, OPERATOR
from paquebot_operator.secretfiles import files_of, secret_of
from paquebot_operator.tls.identities import Leaf
from paquebot_operator.tls.rotation import LEAF_DAYS, ROOTS_MAX, Authority, Issued, Root

AUTHORITY_SECRET: Final = "paquebot-ca"  # noqa: S105  (a Secret's name)
AUTHORITY_NAME: Final = "Paquebot authority"
WRITTEN: Final = f"{GROUP}/written-at"
ID_CHARS: Final = 16

_COMPONENT: Final = "identity"

Entry = Mapping[str, Any]
Pairs = Mapping[str, Pair]  # the roots by id; a key that is lost is empty


def bundle(authority: Authority, pairs: Pairs) -> bytes:
    """Return all trusted roots, the newest first."""
    return b"".join(pairs[root.id].certificate for root in reversed(authority.roots))


def root_of(pair: Pair) -> Root:
    """Return a root as `rotation` sees it."""
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    made_s, ends_s = _seconds(certificate.not_valid_before_utc), _seconds(certificate.not_valid_after_utc)
    return Root(_id(certificate), made_s, ends_s, can_sign=bool(pair.key))


def read_authority(entry: Entry | None, secrets: Mapping[str, Entry]) -> tuple[Authority, Pairs]:
    """Return the authority of its Secret; without one, what the Secrets that it issued still trust."""
    found = files_of(entry)
    pairs = {
        name.removesuffix(".crt"): Pair(content, found.get(name.removesuffix("crt") + "key", b""))
        for name, content in found.items()
        if name.endswith(".crt")
    }
    if not pairs:
        lost = {_id(each): each for secret in secrets.values() for each in _certificates(secret, "ca.crt")}
        pairs = {id_: Pair(each.public_bytes(Encoding.PEM), b"") for id_, each in lost.items()}
    told = found.get("roots", b"").decode(errors="replace").split()
    roots = sorted(
        map(root_of, pairs.values()), key=lambda root: told.index(root.id) if root.id in told else root.made_s
    )
    active = found.get("active", b"").decode(errors="replace")
    return Authority(tuple(roots[-ROOTS_MAX:]), active if active in pairs else ""), pairs


def read_issued(entry: Entry | None) -> Issued | None:
    """Return what lies in an identity's Secret; None when it is not whole, and must be written anew."""
    leaf, roots = _certificates(entry, "tls.crt"), _certificates(entry, "ca.crt")
    if entry is None or not leaf or not roots or not files_of(entry).get("tls.key"):
        return None
    return Issued(
        root=next((_id(root) for root in roots if _issued_by(leaf[0], root)), ""),
        trusts=frozenset(_id(root) for root in roots),
        names=_names(leaf[0]),
        made_s=_seconds(leaf[0].not_valid_before_utc),
        ends_s=_seconds(leaf[0].not_valid_after_utc),
        written_s=_written_s(entry),
    )


def is_ours(entry: Entry) -> bool:
    """Say whether the operator wrote a Secret; others are left alone."""
    return bool((entry["metadata"].get("labels") or {}).get(MANAGED_BY) == OPERATOR)


def authority_manifest(namespace: str, authority: Authority, pairs: Pairs) -> dict[str, Any]:
    """Return the authority's Secret."""
    order = " ".join(root.id for root in authority.roots)
    files = {"active": authority.active.encode(), "roots": order.encode()}
    for root in authority.roots:
        pair = pairs[root.id]
        files[f"{root.id}.crt"] = pair.certificate
        if pair.key:
            files[f"{root.id}.key"] = pair.key
    return secret_of(namespace, AUTHORITY_SECRET, _COMPONENT, files)


def leaf_manifest(namespace: str, leaf: Leaf, authority: Authority, pairs: Pairs, now: datetime) -> dict[str, Any]:
    """Return a Secret with a new leaf. The authority must have a root that can sign."""
    signer = authority.signer
    assert signer is not None  # noqa: S101  (next_step asks for a root first)
    pair = make_leaf(pairs[signer.id], leaf.names, LEAF_DAYS, now)
    files = {"ca.crt": bundle(authority, pairs), "tls.crt": pair.certificate, "tls.key": pair.key}
    return _identity(namespace, leaf.secret, files, now)


def roots_manifest(entry: Entry, authority: Authority, pairs: Pairs, now: datetime) -> dict[str, Any]:
    """Return a Secret with the leaf that it has and the roots to trust now."""
    files = {**files_of(entry), "ca.crt": bundle(authority, pairs)}
    metadata = entry["metadata"]
    return _identity(metadata["namespace"], metadata["name"], files, now)


def _identity(namespace: str, name: str, files: Mapping[str, bytes], now: datetime) -> dict[str, Any]:
    """Return a leaf's Secret, of the type that cert-manager gives such, with the time of writing."""
    made = secret_of(namespace, name, _COMPONENT, files) | {"type": "kubernetes.io/tls"}
    made["metadata"]["annotations"] = {WRITTEN: times.written(now.timestamp())}
    return made


def _written_s(entry: Entry) -> int:
    text = (entry["metadata"].get("annotations") or {}).get(WRITTEN, "")
    try:
        return _seconds(times.read(text))
    except ValueError:
        return 0


def _certificates(entry: Entry | None, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(files_of(entry).get(name, b""))[: ROOTS_MAX + 1]
    except ValueError:
        return []


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in found if isinstance(each, x509.DNSName | x509.IPAddress))


def _issued_by(leaf: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _id(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:ID_CHARS]


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
