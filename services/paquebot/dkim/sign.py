"""DKIM-Signature fields (RFC 6376, RFC 8301, RFC 8463): relaxed/relaxed, SHA-256, never `l=`.

The body hash comes from `paquebot.mail.bodyhash`, computed once when the content was finished.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from paquebot.dkim.canonical import COLUMNS_MAX, Picked, pick
from paquebot.dkim.keys import ED25519, RSA, PrivateKey

_NAME: Final = b"DKIM-Signature: "
_CANONICAL_NAME: Final = b"dkim-signature:"
_PADDING: Final = PKCS1v15()
_HASH: Final = SHA256()
_B_COLUMNS: Final = 72  # base64 characters of `b=` on a line
_T_DIGITS_MAX: Final = 12  # RFC 6376 §3.5: verifiers need handle no more digits of `t=`


class Signer:
    """A key with the domain and selector under which its public half is published."""

    __slots__ = ("_key", "_opening", "algorithm", "domain", "selector")

    def __init__(self, domain: str, selector: str, key: PrivateKey) -> None:
        """Take the domain (an A-label name), the selector and a key that `keys.load` returned."""
        self.domain = domain
        self.selector = selector
        self.algorithm = ED25519 if isinstance(key, Ed25519PrivateKey) else RSA
        self._key = key
        self._opening = _opening(self.algorithm, domain, selector)

    def __repr__(self) -> str:
        return f"<Signer {self.selector}._domainkey.{self.domain} {self.algorithm}>"

    def sign(self, header_section: bytes, body_hash: bytes, now_s: int) -> bytes:
        """Return one whole DKIM-Signature field, folded to 78 columns and ended by CRLF.

        `header_section` is what stands before the empty line; `body_hash` the SHA-256 of the
        relaxed body.
        """
        return sign_all((self,), header_section, body_hash, now_s)

    def field(self, picked: Picked, bh_tag: bytes, now_s: int) -> bytes:
        """Return the field over fields already picked: the step that differs by signer."""
        # `b=` stands last, so the field without its value is simply what comes before it (§3.7). We fold
        # with one space and never write two, so dropping CRLF already gives the relaxed form.
        unsigned = b"%s%d;\r\n%s\r\n%s\r\n b=" % (self._opening, now_s, picked.h_tag, bh_tag)
        canonical = picked.canonical + _CANONICAL_NAME + unsigned[len(_NAME) :].replace(b"\r\n", b"")
        encoded = b64encode(self._signature(canonical))
        lines = [encoded[at : at + _B_COLUMNS] for at in range(0, len(encoded), _B_COLUMNS)]
        return unsigned + b"\r\n ".join(lines) + b"\r\n"

    def _signature(self, canonical: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(sha256(canonical).digest())  # RFC 8463 §3: over the hash
        return self._key.sign(canonical, _PADDING, _HASH)


def sign_all(signers: Sequence[Signer], header_section: bytes, body_hash: bytes, now_s: int) -> bytes:
    """Return the DKIM-Signature fields of all signers, one after another; nothing without signers."""
    if not signers:
        return b""
    picked = pick(header_section)
    bh_tag = b" bh=%s;" % b64encode(body_hash)
    return b"".join([signer.field(picked, bh_tag, now_s) for signer in signers])


def _opening(algorithm: str, domain: str, selector: str) -> bytes:
    """Return the field up to `t=`. A name longer than a line stands on a line of its own."""
    method = "ed25519-sha256" if algorithm == ED25519 else "rsa-sha256"
    lines = [f"{_NAME.decode()}v=1; a={method}; c=relaxed/relaxed;"]
    for tag in (f"d={domain};", f"s={selector};", "t="):
        room = len(tag) + (_T_DIGITS_MAX if tag == "t=" else 0)
        if len(lines[-1]) + 1 + room > COLUMNS_MAX:
            lines.append("")
        lines[-1] += " " + tag
    return "\r\n".join(lines).encode()
