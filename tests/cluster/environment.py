"""What a container is told: its environment, with references resolved as Kubernetes does. Pure."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]
Key = tuple[str, str]


class NotYet(Exception):  # noqa: N818  (it may come)
    """Something that a pod refers to is not there: the pod waits for it."""


class NotServed(Exception):  # noqa: N818
    """A field that this kubelet does not serve: better said than passed over."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where references lead."""

    secrets: Mapping[Key, Manifest]
    config_maps: Mapping[Key, Manifest]
    services: Mapping[Key, Manifest]

    def secret(self, key: Key, *, optional: bool = False) -> dict[str, bytes]:
        """Return a Secret's entries. Raises NotYet."""
        found = self._find(self.secrets, key, "secret", optional=optional)
        return {name: base64.b64decode(value) for name, value in (found.get("data") or {}).items()}

    def config_map(self, key: Key, *, optional: bool = False) -> dict[str, bytes]:
        """Return a ConfigMap's entries. Raises NotYet."""
        found = self._find(self.config_maps, key, "configmap", optional=optional)
        plain = {name: value.encode() for name, value in (found.get("data") or {}).items()}
        return plain | {name: base64.b64decode(value) for name, value in (found.get("binaryData") or {}).items()}

    @staticmethod
    def _find(kind: Mapping[Key, Manifest], key: Key, word: str, *, optional: bool) -> Manifest:
        if key not in kind and not optional:
            raise NotYet(f'{word} "{key[1]}" not found')
        return kind.get(key, {})


def environment(pod: Manifest, container: Manifest, sources: Sources) -> dict[str, str]:
    """Return a container's variables: of services, then envFrom, then env. Raises NotYet and NotServed."""
    found = service_links(pod, sources.services)
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or ():
        for name, value in _all_of(source, namespace, sources).items():
            found[source.get("prefix", "") + name] = value.decode()
    for entry in container.get("env") or ():
        value = entry.get("value", "") if "valueFrom" not in entry else _refer(entry["valueFrom"], pod, sources)
        if value is not None:
            found[entry["name"]] = expand(value, found)
    return found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME) by what is known, leave what is not; $$ is a dollar."""
    return re.sub(
        r"\$\$|\$\(([^)]+)\)",
        lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[0]),
        text,
    )


def service_links(pod: Manifest, services: Mapping[Key, Manifest]) -> dict[str, str]:
    """Return the variables that every pod gets of its namespace's Services, wanted or not, and of the API's."""
    found = {"KUBERNETES_SERVICE_HOST": "kubernetes.default.svc", "KUBERNETES_SERVICE_PORT": "443"}
    if not pod["spec"].get("enableServiceLinks", True):
        return found
    for (namespace, name), service in services.items():
        address = service["spec"].get("clusterIP")
        if namespace == pod["metadata"]["namespace"] and address not in {None, "", "None"}:
            prefix, port = name.upper().replace("-", "_"), service["spec"]["ports"][0]["port"]
            found |= {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(port)}
            found[f"{prefix}_PORT"] = f"tcp://{address}:{port}"
    return found


def field(pod: Manifest, path: str) -> str:
    """Return a field for the downward API. Raises NotServed."""
    one = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if one is not None:
        return str((pod["metadata"].get(one[1]) or {}).get(one[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        entries = (pod["metadata"].get(path.partition(".")[2]) or {}).items()
        return "\n".join(f'{name}="{value}"' for name, value in sorted(entries))
    known = {
        **{f"metadata.{name}": pod["metadata"].get(name) for name in ("name", "namespace", "uid")},
        **{f"spec.{name}": pod["spec"].get(name) for name in ("nodeName", "serviceAccountName")},
        **{f"status.{name}": pod["status"].get(name) for name in ("podIP", "hostIP")},
        "status.podIPs": pod["status"].get("podIP"),
    }
    if path not in known:
        raise NotServed(f"the field {path} is not served")
    return str(known[path] or "")


def _all_of(source: Manifest, namespace: str, sources: Sources) -> dict[str, bytes]:
    for kind, look in (("secretRef", sources.secret), ("configMapRef", sources.config_map)):
        if kind in source:
            wanted = source[kind]
            return look((namespace, wanted["name"]), optional=wanted.get("optional", False))
    raise NotServed(f"envFrom {sorted(source)} is not served")


def _refer(source: Manifest, pod: Manifest, sources: Sources) -> str | None:
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"])
    for kind, look in (("secretKeyRef", sources.secret), ("configMapKeyRef", sources.config_map)):
        if kind in source:
            wanted, optional = source[kind], source[kind].get("optional", False)
            entries = look((pod["metadata"]["namespace"], wanted["name"]), optional=optional)
            if wanted["key"] in entries:
                return entries[wanted["key"]].decode()
            if not optional:
                raise NotYet(f"couldn't find key {wanted['key']} in {wanted['name']}")
            return None
    raise NotServed(f"env from {sorted(source)} is not served")
