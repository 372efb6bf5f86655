"""Names in manifests: objects, namespaces, domains, senders. Unfit ones raise Unfit, with a cure."""

import re
from typing import Final

import idna

from paquebot.policy.faults import Unfit
from paquebot.policy.scalars import shown

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_DOMAIN_MAX: Final = 253
_NAME_MAX: Final = 253
_LOCAL_MAX: Final = 64  # RFC 5321 §4.5.3.1.1
# An atom with dots (RFC 5322 §3.2.3); quoted local parts are not offered to senders.
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")


def label(value: object) -> str:
    """Return a name of one DNS label: a namespace, or an object that names streams, subjects and users."""
    if not isinstance(value, str) or not _LABEL.match(value):
        raise Unfit(
            f"{shown(value)} is not a name we can use",
            "use 1 to 63 lower-case letters, digits and hyphens, with no dot and no hyphen at either end",
        )
    return value


def object_name(value: object) -> str:
    """Return a Kubernetes object name: DNS labels with dots between them."""
    if not isinstance(value, str) or len(value) > _NAME_MAX or not all(map(_LABEL.match, value.split("."))):
        raise Unfit(f"{shown(value)} is not an object name", "use lower-case letters, digits, hyphens and dots")
    return value


def domain(value: object) -> str:
    """Return a domain of at least two labels, in lower-case A-labels."""
    name = suffix(value)
    if "." not in name:
        raise Unfit(f"{shown(value)} has only one label", "give a whole domain, such as shop.example")
    return name


def selector(value: object) -> str:
    """Return a DKIM selector: DNS labels with dots between them (RFC 6376 §3.1)."""
    if not isinstance(value, str) or len(value) > _NAME_MAX or not all(map(_LABEL.match, value.split("."))):
        raise Unfit(f"{shown(value)} is not a DKIM selector", "use lower-case letters, digits, hyphens and dots")
    return value


def domain_pattern(value: object) -> str:
    """Return a domain, or `*.` and the domain below which every other one is meant."""
    if isinstance(value, str) and value.startswith("*."):
        return f"*.{suffix(value[2:])}"
    return domain(value)


def suffix(value: object) -> str:
    """Return a domain or a single label, such as `test`, in lower-case A-labels."""
    if not isinstance(value, str) or not value:
        raise Unfit(f"{shown(value)} is not a domain", "give a domain, such as shop.example")
    if not value.isascii():
        raise Unfit(f"{shown(value)} is not in A-labels", _a_label_cure(value))
    if value.endswith("."):
        raise Unfit(f"{shown(value)} ends with a dot", "write the domain without it")
    if value != value.lower():
        raise Unfit(f"{shown(value)} has capital letters", f"write {shown(value.lower())}")
    if len(value) > _DOMAIN_MAX or not all(map(_LABEL.match, value.split("."))):
        raise Unfit(f"{shown(value)} is not a domain", "use letters, digits and hyphens, with dots between labels")
    return value


def _a_label_cure(value: str) -> str:
    try:
        return f"write {shown(idna.encode(value, uts46=True).decode())}"
    except (UnicodeError, IndexError, ValueError):
        return "write the domain as its registry does, beginning with xn--"


def sender(value: object) -> str:
    """Return a mailbox or `*@domain`, in lower case."""
    cure = "give a mailbox such as orders@shop.example, or *@shop.example"
    if not isinstance(value, str) or "@" not in value:
        raise Unfit(f"{shown(value)} is not a sender", cure)
    local, _, name = value.rpartition("@")
    local = local.lower()
    if local != "*" and (len(local) > _LOCAL_MAX or not _LOCAL.match(local)):
        raise Unfit(f"{shown(value)} has a local part we cannot match", cure)
    return f"{local}@{domain(name.lower() if name.isascii() else name)}"
