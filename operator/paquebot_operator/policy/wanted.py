"""The objects that should make the policy, as services read them: of the store, in the order of their claims. Pure."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from paquebot.policy.draining import MARK
from paquebot_operator.dkim.advance import with_signing
from paquebot_operator.dkim.contest import claim_of
from paquebot_operator.kube.store import Store, key_of
from paquebot_operator.names import MAIL_DOMAIN, OURS, Key

Entry = Mapping[str, Any]


def wanted(store: Store, holders: Container[Key]) -> list[Entry]:
    """Return the objects, pools that are being deleted among them: they drain. Other kinds end at once.

    They end with their namespace as soon as that is deleted, not when Kubernetes gets round to each of them.

    Where several MailDomains claim one domain, the first has it: one that proves it, else who holds it now, else the
    oldest. `holders` are the objects in force.
    """
    namespaces = {entry["metadata"]["name"]: entry["metadata"] for entry in store.of("Namespace")}
    labels = {name: metadata.get("labels") or {} for name, metadata in namespaces.items()}
    ending = {name for name, metadata in namespaces.items() if metadata.get(MARK)}
    return [
        _with_names(entry, labels)
        for kind in OURS
        for entry in _in_order(store, kind.name, holders)
        if kind.name == "SendingPool"
        or not (entry["metadata"].get(MARK) or entry["metadata"].get("namespace") in ending)
    ]


def _in_order(store: Store, kind: str, holders: Container[Key]) -> list[Entry]:
    entries = store.of(kind)
    if kind != MAIL_DOMAIN.name:
        return list(entries)
    ranked = sorted(entries, key=lambda entry: (not claim_of(entry).is_proven, key_of(entry) not in holders))
    return [with_signing(entry) for entry in ranked]


def _with_names(entry: Entry, namespaces: Mapping[str, Mapping[str, str]]) -> Entry:
    """Return a pool with the namespaces that its selector finds among those it names."""
    spec = entry.get("spec")
    allowed = spec.get("allowedNamespaces") if isinstance(spec, Mapping) else None
    if entry["kind"] != "SendingPool" or not isinstance(allowed, Mapping) or not allowed.get("selector"):
        return entry
    found = {name for name, labels in namespaces.items() if matches(allowed["selector"], labels)}
    names = sorted(found | set(allowed.get("names") or ()))
    return {**entry, "spec": {**entry["spec"], "allowedNamespaces": {"names": names}}}


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a label selector matches; an empty one matches all, one that we do not understand nothing."""
    exact = selector.get("matchLabels") or {}
    expressions: Sequence[Mapping[str, Any]] = selector.get("matchExpressions") or ()
    return all(labels.get(name) == value for name, value in exact.items()) and all(
        _expressed(each, labels) for each in expressions
    )


def _expressed(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(str(expression.get("key"))), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
