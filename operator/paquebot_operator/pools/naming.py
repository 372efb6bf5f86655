"""What a pool's workload is called, and the labels by which it is found. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from paquebot.policy.values import SendingPool
from paquebot_operator.names import COMPONENT, MANAGED_BY, OPERATOR, OWNER_LABEL, PART_OF, POOL_LABEL

DELIVERER: Final = "deliverer"
NAME_MAX_CHARS: Final = 46  # a pod adds 17 for itself, and its host name ends at 63
LABEL_MAX_CHARS: Final = 63
DIGEST_CHARS: Final = 8
FAMILY: Final = {MANAGED_BY: OPERATOR, PART_OF: "paquebot"}


def workload_name(namespace: str, name: str, platform_namespace: str) -> str:
    """Return `deliverer-<namespace>-<name>`, with a digest where that could be another pool's name, or is too long.

    Pools `a-b/c` and `a/b-c` would share one: only those of the platform's namespace go without a digest.
    """
    plain = f"{DELIVERER}-{namespace}-{name}"
    if namespace == platform_namespace and len(plain) <= NAME_MAX_CHARS:
        return plain
    return _shortened(plain, f"{namespace}/{name}", NAME_MAX_CHARS)


def workload_name_of(pool: Mapping[str, Any], platform_namespace: str) -> str:
    """Return what the workload of a SendingPool is called."""
    return workload_name(pool["metadata"]["namespace"], pool["metadata"]["name"], platform_namespace)


def pool_label(namespace: str, name: str) -> str:
    """Return a pool's token as the value of a label."""
    token = SendingPool(namespace, name, "").token
    return token if len(token) <= LABEL_MAX_CHARS else _shortened(token, token, LABEL_MAX_CHARS)


def selector(namespace: str, name: str) -> dict[str, str]:
    """Return the labels that a pool's pods have, and no others. A Deployment never changes its selector."""
    return {COMPONENT: DELIVERER, POOL_LABEL: pool_label(namespace, name)}


def labels(pool: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of a pool's children."""
    metadata = pool["metadata"]
    owner = {OWNER_LABEL: str(metadata["uid"])} if metadata.get("uid") else {}
    return {**FAMILY, **selector(metadata["namespace"], metadata["name"]), **owner}


def _shortened(text: str, whole: str, length_max: int) -> str:
    digest = hashlib.sha256(whole.encode()).hexdigest()[:DIGEST_CHARS]
    return f"{text[: length_max - DIGEST_CHARS - 1].rstrip('-_.')}-{digest}"
