"""Who should own a partition: the member whose hash with it is highest. Pure."""

from collections.abc import Iterable
from hashlib import blake2b


def owner_of(partition: int, pods: Iterable[str]) -> str:
    """Return the pod that should own a partition, "" when there is none; few change when a pod comes or goes."""
    return max(pods, key=lambda pod: _weight(partition, pod), default="")


def _weight(partition: int, pod: str) -> tuple[bytes, str]:
    return blake2b(f"{partition}\0{pod}".encode(), digest_size=8).digest(), pod
