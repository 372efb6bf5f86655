"""Taking a pool's streams away: never with mail in them.

The entrance is closed first: a stream that listens to another subject takes nothing more, and who publishes hears
at once that nobody keeps it. What came before is seen by the count after. Schedules go on firing meanwhile.
"""

import contextlib
from typing import Any

from paquebot.queue.depth import depth
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.provision import NOT_FOUND, stream_config
from paquebot.queue.subjects import SLICES, deferred_filter, ready_filter_all, stream_name


async def count_waiting(js: JetStream, pool: str) -> int:
    """Return how many deliveries wait in a pool, ready, deferred and held; a message not yet expanded counts as one.

    What any replica counts is enough to wait for, however much it is. That there is nothing the leader has to say.
    """
    with contextlib.suppress(QueueUnavailableError):  # no stream, or nobody who answers now
        seen = await depth(js, pool)
        if seen.ready or seen.later:
            return seen.ready + seen.later
    total = 0
    for number in range(SLICES):
        for pattern in (ready_filter_all(pool, number), deferred_filter(pool, number)):
            total += await _count(js, stream_name(pool, number), pattern)
    return total


async def remove_streams(js: JetStream, pool: str) -> int:
    """Delete an empty pool's streams and return 0; else leave them as they were and return what waits."""
    for number in range(SLICES):
        await _listen_to(js, pool, number, f"closed.{pool}.{number}")
    waiting = await count_waiting(js, pool)
    for number in range(SLICES):
        if waiting:
            await _listen_to(js, pool, number, *stream_config(pool, number)["subjects"])
        else:
            await _request(js, f"STREAM.DELETE.{stream_name(pool, number)}", None)
    return waiting


async def _count(js: JetStream, stream: str, pattern: str) -> int:
    answer = await _request(js, f"STREAM.INFO.{stream}", {"subjects_filter": pattern})
    if answer is None:
        return 0
    listed: dict[str, int] = answer["state"].get("subjects") or {}
    return sum(listed.values()) + max(0, int(answer.get("total", 0)) - len(listed))  # beyond a page: at least one each


async def _listen_to(js: JetStream, pool: str, number: int, *subjects: str) -> None:
    found = await _request(js, f"STREAM.INFO.{stream_name(pool, number)}", None)
    if found is not None:
        await js.request(f"STREAM.UPDATE.{stream_name(pool, number)}", {**found["config"], "subjects": list(subjects)})


async def _request(js: JetStream, subject: str, body: dict[str, Any] | None) -> Any:
    """Return the answer, None when the stream is not there."""
    try:
        return await js.request(subject, body)
    except ApiError as error:
        if error.err_code != NOT_FOUND:
            raise
        return None
