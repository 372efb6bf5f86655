"""Custom resources, given as plain mappings, become one frozen Policy; or all faults are told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from paquebot.policy import cluster, kinds, names
from paquebot.policy.check import Declared, check
from paquebot.policy.draining import MARK
from paquebot.policy.faults import Fault, Notes, PolicyFaults
from paquebot.policy.route import Routes
from paquebot.policy.route_fields import transport_route
from paquebot.policy.scalars import shown
from paquebot.policy.section import Section
from paquebot.policy.suppression import SuppressionLists
from paquebot.policy.suppression_fields import suppression_list
from paquebot.policy.values import Policy

API_VERSION: Final = "paquebot.dev/v1alpha1"
PLATFORM_NAMESPACE: Final = "mail-system"
OBJECTS_MAX: Final = 100_000

_SERVED: Final = (
    "SendingPool",
    "MailDomain",
    "SMTPCredential",
    "DestinationPolicy",
    "TransportRoute",
    "SuppressionList",
)
_CLUSTER_SCOPED: Final = ("DestinationPolicy", cluster.KIND)
# These names become tokens of subjects and user names, where a dot would part them.
_NAMED_BY_LABEL: Final = ("SendingPool", "SMTPCredential", "DestinationPolicy", "SuppressionList")
_RESERVED_DESTINATION: Final = "other"  # the group of what no DestinationPolicy matches


def compile_policy(
    objects: Sequence[object], revision: str = "", *, platform_namespace: str = PLATFORM_NAMESPACE
) -> Policy:
    """Return the policy that the objects declare. Raises PolicyFaults with every fault there is.

    Passed over are all metadata but name, namespace and a pool's deletionTimestamp, and all status but which DKIM
    selectors of a MailDomain may sign.
    """
    if len(objects) > OBJECTS_MAX:
        fault = Fault("", "", "", "objects", f"are {len(objects)}", f"declare at most {OBJECTS_MAX}")
        raise PolicyFaults((fault,))
    declared, notes = _read_all(objects, platform_namespace)
    found = check(declared)
    faults = tuple(fault for each in notes for fault in each.faults)
    if faults:
        raise PolicyFaults(faults)
    return Policy(
        revision=revision,
        domains={each.value.domain: each.value for each in declared.domains},
        pools={each.value.token: each.value for each in declared.pools},
        credentials={each.username: each for each in found.credentials},
        destinations={each.value.name: each.value for each in declared.destinations},
        routes=Routes.of(each.value for each in declared.routes),
        suppression=SuppressionLists.of(found.suppressions),
        cluster=next(iter(declared.clusters), None),
    )


def faults_alone(objects: Sequence[object], *, platform_namespace: str = PLATFORM_NAMESPACE) -> tuple[Fault, ...]:
    """Return the faults of each object by itself: for when not all objects are there that they may refer to."""
    _declared, notes = _read_all(objects, platform_namespace)
    return tuple(fault for each in notes for fault in each.faults)


def _read_all(objects: Sequence[object], platform_namespace: str) -> tuple[Declared, list[Notes]]:
    declared = Declared()
    notes: list[Notes] = []
    first: dict[tuple[str, str, str], Notes] = {}
    for position, entry in enumerate(objects):
        found = Notes(*_named(entry, position), position)
        notes.append(found)
        if first.setdefault((found.kind, found.namespace, found.name), found) is not found:
            found.fault("metadata.name", "is declared twice", "remove one of the two")
            continue
        _read(entry, found, declared, platform_namespace)
    return declared, notes


def _named(entry: object, position: int) -> tuple[str, str, str]:
    """Return kind, namespace and name as a fault shows them, whatever the object is."""
    if not isinstance(entry, Mapping):
        return "object", "", f"#{position}"
    metadata = entry.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    kind, namespace, name = entry.get("kind"), metadata.get("namespace"), metadata.get("name")
    return (
        kind if isinstance(kind, str) and kind else "object",
        namespace if isinstance(namespace, str) else "",
        name if isinstance(name, str) and name else f"#{position}",
    )


def _read(entry: object, notes: Notes, declared: Declared, platform_namespace: str) -> None:
    whole = Section(notes, "", entry)
    if not _is_ours(whole):
        return
    spec = Section(notes, "spec", whole.read("spec", lambda value: value, None))
    if not whole.has("spec"):
        whole.fault("spec", "is missing", "give it")
        return
    metadata = whole.section("metadata")
    _check_metadata(metadata)
    status = whole.read("status", lambda value: value, None)
    whole.finish()
    match notes.kind:
        case "SendingPool":
            pool = kinds.pool(spec)
            declared.pools.append(replace(pool, value=replace(pool.value, draining=metadata.has(MARK))))
        case "MailDomain":
            declared.domains.append(kinds.mail_domain(spec, Section(notes, "status", status), platform_namespace))
        case "SMTPCredential":
            declared.credentials.append(kinds.credential(spec, platform_namespace))
        case "TransportRoute":
            declared.routes.append(transport_route(spec, platform_namespace))
        case "SuppressionList":
            declared.suppressions.append(suppression_list(spec, platform_namespace))
        case cluster.KIND:
            declared.clusters.append(cluster.cluster_identity(spec))
        case _:
            declared.destinations.append(kinds.destination(spec))


def _is_ours(whole: Section) -> bool:
    """Say whether the object is of a kind served; else note why not."""
    if whole.notes.faults:
        return False  # no mapping at all
    version = whole.read("apiVersion", lambda value: value, None)
    kind = whole.read("kind", lambda value: value, None)
    if version != API_VERSION:
        whole.fault("apiVersion", f"is {shown(version)}", f"write {API_VERSION}, or leave the object out")
        return False
    if kind in _SERVED or kind == cluster.KIND:
        return True
    near = get_close_matches(kind, _SERVED, 1) if isinstance(kind, str) else []
    cure = f"did you mean {near[0]}?" if near else f"known: {', '.join(_SERVED)}"
    whole.fault("kind", f"{shown(kind)} is not known", cure)
    return False


def _check_metadata(metadata: Section) -> None:
    kind = metadata.notes.kind
    name = metadata.need("name", names.label if kind in _NAMED_BY_LABEL else names.object_name, "")
    if kind not in _CLUSTER_SCOPED:
        metadata.need("namespace", names.label, "")
    elif metadata.has("namespace"):
        metadata.fault("namespace", f"is not for {kind}, which belongs to the whole cluster", "leave it out")
    if kind == cluster.KIND and name != cluster.NAME:
        metadata.fault("name", f"is {shown(name)}, but there is one cluster", f"write {cluster.NAME}")
    if kind == "DestinationPolicy" and name == _RESERVED_DESTINATION:
        metadata.fault("name", f'"{name}" is what we call destinations without a policy', "choose another name")
