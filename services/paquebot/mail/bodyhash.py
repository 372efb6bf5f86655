"""The body's canonical form and its SHA-256, as DKIM's relaxed algorithm wants it (RFC 6376 §3.4.4).

It stands in mail, not in dkim, because content is hashed where it is finished and signed elsewhere.
"""

import hashlib


def relaxed_body(body: bytes) -> bytes:
    """Return the body in relaxed canonical form: white space reduced, empty lines at the end dropped.

    Lines must end with CRLF. An empty body stays empty; any other ends with one CRLF.
    """
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    while b"  " in body:  # each turn halves the longest run: at most 10 turns for lines of 998 octets
        body = body.replace(b"  ", b" ")
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    stripped = body.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""


def relaxed_body_hash(body: bytes) -> bytes:
    """Return the 32 octets of SHA-256 over the relaxed canonical form."""
    return hashlib.sha256(relaxed_body(body)).digest()
