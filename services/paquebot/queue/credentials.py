"""Password hashes in the bucket `credentials`, which only auth may read."""

from collections.abc import Callable

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream

BUCKET = "credentials"


async def put_hash(js: JetStream, username: str, password_hash: str) -> None:
    """Store a user's argon2id hash, unless it is there already."""
    bucket = Bucket(js, BUCKET)
    if await bucket.get(username) != password_hash.encode():
        await bucket.put(username, password_hash.encode())


async def follow_hashes(js: JetStream, on_hashes: Callable[[dict[str, str]], None]) -> None:
    """Hand over all hashes by user name, now and after each change, for ever."""
    await Bucket(js, BUCKET).follow(
        lambda entries: on_hashes({username: value.decode() for username, value in entries.items()})
    )
