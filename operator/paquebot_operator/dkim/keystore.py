"""Where DKIM keys are kept: one Secret a domain with all that is known of its keys, and what the router mounts.

Pure builders and readers. Both kinds of Secret stand in the platform's namespace. The 16 that the router mounts are a
projection: every key in one flat file, a domain's in the shard that its name's hash begins with.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from paquebot.dkim.keys import ED25519, KeyRefused, record
from paquebot_operator.dkim.slots import ALGORITHM_OF, Keys, Phase, decode, encode
from paquebot_operator.names import GROUP, OWNER_LABEL
from paquebot_operator.secretfiles import files_of, secret_of

SHARDS: Final = "0123456789abcdef"
SHARD_LABEL: Final = f"{GROUP}/dkim-shard"
DOMAIN_ANNOTATION: Final = f"{GROUP}/domain"
NAMESPACE_ANNOTATION: Final = f"{GROUP}/namespace-uid"
SECRET_MAX_BYTES: Final = 1_000_000  # of a Secret's values; the API server takes 1 MiB
STATE_FILE: Final = "keys.json"
WATCH_FILE: Final = "dns.json"
RECORDS_FILE: Final = "records.json"  # TXT values with digests of their keys: to read an RSA key takes long

_DIGITS: Final = 16
_COMPONENT: Final = "dkim"
# What goes first when a shard is too small: a key that does not sign yet can be mounted later.
_ORDER: Final = (Phase.ACTIVE, Phase.RETIRING, Phase.VERIFIED, Phase.PUBLISHED, Phase.PENDING)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a domain's Secret holds: PEMs and TXT values by selector; keys None and watch empty where they are lost.

    `namespace_uid`: the namespace that the keys were made for.
    """

    pems: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    values: Mapping[str, str] = field(default_factory=dict)
    keys: Keys | None = None
    watch: bytes = b""
    namespace_uid: str = ""

    @property
    def ids(self) -> dict[str, str]:
        """The keys' ids by selector."""
        return {selector: key_id(value) for selector, value in self.values.items()}


def key_id(value: str) -> str:
    """Return the id of the key in a TXT value."""
    return f"sha256:{sha256(value.encode()).hexdigest()[:_DIGITS]}"


def secret_name(domain: str) -> str:
    """Return the name of a domain's Secret."""
    return f"dkim-{sha256(domain.encode()).hexdigest()[:_DIGITS]}"


def shard_of(domain: str) -> str:
    """Return the shard of a domain's keys, one hexadecimal digit."""
    return sha256(domain.encode()).hexdigest()[0]


def projection_name(shard: str) -> str:
    """Return the name of the Secret that the router mounts for a shard."""
    return f"dkim-keys-{shard}"


def read(secret: Mapping[str, Any] | None) -> Stored:
    """Return what a domain's Secret holds; keys that cannot be used are not there."""
    files = files_of(secret)
    pems: dict[str, bytes] = {}
    values: dict[str, str] = {}
    known = _known(files.get(RECORDS_FILE, b""))
    for selector in ALGORITHM_OF:
        pem = files.get(_file(selector), b"")
        value = _value(selector, pem, known)
        if value:
            pems[selector], values[selector] = pem, value
    noted = ((secret or {}).get("metadata") or {}).get("annotations") or {}
    uid = str(noted.get(NAMESPACE_ANNOTATION, ""))
    return Stored(pems, values, decode(files.get(STATE_FILE, b"")), files.get(WATCH_FILE, b""), uid)


def _value(selector: str, pem: bytes, known: Mapping[str, str]) -> str:
    """Return the TXT value of a key, "" when it is none for this selector."""
    if not pem:
        return ""
    try:
        value = known.get(sha256(pem).hexdigest()) or record(pem)
    except KeyRefused:
        return ""
    kind = "ed25519" if ALGORITHM_OF[selector] == ED25519 else "rsa"
    return value if f" k={kind};" in value else ""


def _known(encoded: bytes) -> dict[str, str]:
    try:
        return {str(digest): str(value) for digest, value in json.loads(encoded).items()}
    except (ValueError, AttributeError):
        return {}


def secret(stored: Stored, domain: str, owner_uid: str, namespace: str) -> dict[str, Any]:
    """Return the Secret of a domain, with the keys that are kept and nothing else."""
    assert stored.keys is not None  # noqa: S101  (what is written is known)
    kept = [slot.selector for slot in stored.keys.slots if slot.is_kept]
    files = {_file(selector): stored.pems[selector] for selector in kept}
    values = {sha256(stored.pems[selector]).hexdigest(): stored.values[selector] for selector in kept}
    files |= {STATE_FILE: encode(stored.keys), WATCH_FILE: stored.watch, RECORDS_FILE: json.dumps(values).encode()}
    made = secret_of(namespace, secret_name(domain), _COMPONENT, files)
    made["metadata"]["labels"] |= {OWNER_LABEL: owner_uid, SHARD_LABEL: shard_of(domain)}
    made["metadata"]["annotations"] = {DOMAIN_ANNOTATION: domain, NAMESPACE_ANNOTATION: stored.namespace_uid}
    return made


def domain_of(secret: Mapping[str, Any]) -> str:
    """Return the domain whose Secret this is, "" when it is none of a domain."""
    return str((secret["metadata"].get("annotations") or {}).get(DOMAIN_ANNOTATION, ""))


def projection(shard: str, stored: Mapping[str, Stored], namespace: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the Secret that the router mounts for a shard, and the files that have no room in it.

    `stored` is what the Secrets of the shard's domains hold, by domain.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = SECRET_MAX_BYTES
    for name, pem in _in_order(stored):
        if len(pem) + len(name) > room:
            left_out.append(name)
            continue
        room -= len(pem) + len(name)
        files[name] = pem
    return secret_of(namespace, projection_name(shard), _COMPONENT, files), tuple(left_out)


def _in_order(stored: Mapping[str, Stored]) -> Iterable[tuple[str, bytes]]:
    """Return names and contents of files, those first that are needed first."""
    found = [
        (_ORDER.index(slot.phase), f"{domain}.{_file(slot.selector)}", each.pems[slot.selector])
        for domain, each in stored.items()
        for slot in (each.keys or Keys()).slots
        if slot.is_kept and slot.selector in each.pems
    ]
    return [(name, pem) for _order, name, pem in sorted(found)]


def _file(selector: str) -> str:
    return f"{selector}.{ALGORITHM_OF[selector]}.pem"
