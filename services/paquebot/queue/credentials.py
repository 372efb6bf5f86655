"""Password hashes in the bucket `credentials`, which only auth may read: a user's argon2id hashes, one a line.

Any of them lets the user in. Two stand side by side while a password is replaced; whoever writes them takes the
old one away when its time is over.
"""

from collections.abc import Callable, Sequence

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream

BUCKET = "credentials"
HASHES_MAX = 4  # of one user: each costs a check when a password is wrong


async def put_hash(js: JetStream, username: str, password_hash: str) -> None:
    """Make this the only hash of a user, unless it is that already."""
    await put_hashes(js, username, (password_hash,))


async def put_hashes(js: JetStream, username: str, hashes: Sequence[str]) -> None:
    """Store a user's hashes, the newest first, unless they are there already.

    Raises ValueError for none, more than HASHES_MAX, and what is not one line.
    """
    if not 0 < len(hashes) <= HASHES_MAX:
        raise ValueError(f"a user has 1 to {HASHES_MAX} hashes, not {len(hashes)}")
    if any([each] != each.splitlines() for each in hashes):
        raise ValueError("a hash is one line")
    bucket, value = Bucket(js, BUCKET), "\n".join(hashes).encode()
    if await bucket.get(username) != value:
        await bucket.put(username, value)


async def remove_user(js: JetStream, username: str) -> None:
    """Take a user's hashes away, if there are any: no password is right from then on."""
    bucket = Bucket(js, BUCKET)
    if await bucket.get(username) is not None:
        await bucket.delete(username)


async def follow_hashes(js: JetStream, on_hashes: Callable[[dict[str, tuple[str, ...]]], None]) -> None:
    """Hand over the hashes of all users by name, now and after each change, for ever."""
    await Bucket(js, BUCKET).follow(
        lambda entries: on_hashes({username: _hashes(value) for username, value in entries.items()})
    )


def _hashes(value: bytes) -> tuple[str, ...]:
    return tuple(value.decode("utf-8", "replace").splitlines()[:HASHES_MAX])
