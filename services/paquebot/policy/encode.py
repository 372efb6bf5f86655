"""Objects as they are published: content-addressed, with one index that makes a revision of them.

Pure; the KV bucket is in `paquebot.queue.policystore`. Readers fetch the index, then the objects it
names, and compile them: what was published twice has one key, and a revision switches as a whole.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from paquebot.policy.draining import MARK

OBJECT_PREFIX: Final = "o."

_HASH_DIGITS: Final = 32
_REVISION_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Index:
    """A revision: keys of objects by `Kind/namespace/name`."""

    revision: str
    objects: dict[str, str]


def encode_object(entry: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the key and the canonical JSON of what matters of an object.

    That is kind, name, namespace, spec, its end, and of its status which DKIM selectors may sign.
    """
    metadata = entry.get("metadata") or {}
    trimmed = {
        "apiVersion": entry.get("apiVersion"),
        "kind": entry.get("kind"),
        "metadata": {name: metadata[name] for name in ("name", "namespace", MARK) if metadata.get(name)},
        "spec": entry.get("spec"),
    }
    signing = _signing(entry.get("status"))
    if signing is not None:
        trimmed["status"] = {"dkim": {"signing": signing}}
    encoded = _canonical(trimmed)
    return OBJECT_PREFIX + sha256(encoded).hexdigest()[:_HASH_DIGITS], encoded


def _signing(status: object) -> object:
    """Return `dkim.signing` of a status, None when nothing stands there."""
    match status:
        case {"dkim": {"signing": signing}}:
            return signing
    return None


def decode_object(encoded: bytes) -> dict[str, Any]:
    """Return the object. Raises ValueError for what is no JSON mapping."""
    entry = _loaded(encoded)
    if not isinstance(entry, dict):
        raise ValueError("an object of the policy is not a mapping")  # noqa: TRY004  (the reader catches one)
    return entry


def revision_of(objects: Sequence[Mapping[str, Any]]) -> tuple[str, bytes]:
    """Return the revision's id, which the objects alone decide, and the encoded index.

    The objects must have compiled: then no two have one name.
    """
    keys = {_place(entry): encode_object(entry)[0] for entry in objects}
    revision = sha256(_canonical(keys)).hexdigest()[:_REVISION_DIGITS]
    return revision, _canonical({"revision": revision, "objects": keys})


def decode_index(encoded: bytes) -> Index:
    """Return the index. Raises ValueError for anything else."""
    entry = _loaded(encoded)
    match entry:
        case {"revision": str(revision), "objects": dict(objects)}:
            keys = list(objects.values())
            if all(isinstance(key, str) and key.startswith(OBJECT_PREFIX) for key in keys):
                return Index(revision, objects)
    raise ValueError("this is no index of a policy")


def _place(entry: Mapping[str, Any]) -> str:
    metadata = entry.get("metadata") or {}
    return f"{entry.get('kind')}/{metadata.get('namespace') or ''}/{metadata.get('name')}"


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def _loaded(encoded: bytes) -> object:
    try:
        return json.loads(encoded)
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON") from None
