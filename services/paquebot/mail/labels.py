"""Domains as DNS knows them: inside Paquebot a domain is lower-case A-labels, wherever it came from (RFC 5890 §2.3)."""

from functools import lru_cache

import idna


def a_label(domain: str) -> str:
    """Return a domain in lower-case A-labels, without the root's dot; an address literal stays as it is.

    Raises ValueError, with the reason, for what cannot be a domain.
    """
    return domain.lower().removesuffix(".") if domain.isascii() else _converted(domain)


def a_labelled(mailbox: str) -> str:
    """Return a mailbox with its domain in A-labels; its local part stays as it is. Raises ValueError."""
    local, at, domain = mailbox.rpartition("@")
    return f"{local}{at}{a_label(domain)}"


@lru_cache(maxsize=4096)
def _converted(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode("ascii").removesuffix(".")
