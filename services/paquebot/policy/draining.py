"""Pools that are gone from the manifests but still hold mail: they stay in the policy, marked, until they are empty.

The mark is Kubernetes' own: `metadata.deletionTimestamp`, which an object carries while a finalizer waits. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

MARK: Final = "deletionTimestamp"


def with_draining(
    wanted: Sequence[Mapping[str, Any]], published: Sequence[Mapping[str, Any]], now: str
) -> list[Mapping[str, Any]]:
    """Return what to publish: what is wanted, and the published pools that are wanted no longer, marked.

    `now` is a time as Kubernetes writes it; a pool that is marked already keeps its mark.
    """
    named = {_name(each) for each in wanted if each.get("kind") == "SendingPool"}
    gone = [each for each in published if each.get("kind") == "SendingPool" and _name(each) not in named]
    return [*wanted, *(_marked(each, now) for each in gone)]


def without(objects: Sequence[Mapping[str, Any]], token: str) -> list[Mapping[str, Any]]:
    """Return the objects but the pool of this token."""
    return [each for each in objects if each.get("kind") != "SendingPool" or "_".join(_name(each)) != token]


def _name(pool: Mapping[str, Any]) -> tuple[str, str]:
    metadata = pool.get("metadata") or {}
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _marked(pool: Mapping[str, Any], now: str) -> Mapping[str, Any]:
    return {**pool, "metadata": {MARK: now, **pool["metadata"]}}
