"""Reading a stream through, whatever its length, and what it holds by subject without reading it."""

from collections.abc import AsyncIterator, Mapping

from paquebot.queue.jetstream import JetStream, Message, QueueUnavailableError, TooManyError

# The server counts at each batch what lies behind it, and that takes as long as there is of it: small batches of a
# long stream would cost its square. While it reads a batch, publishes to the stream wait.
BATCH = 2048
OCTETS_MAX = 4 << 20  # of a batch
LISTING_S = 30.0  # a page has up to 100,000 subjects


async def end_of(js: JetStream, stream: str) -> int:
    """Return the last sequence of a stream: what comes later, or is changed, lies beyond it."""
    return int((await js.request(f"STREAM.INFO.{stream}"))["state"]["last_seq"])


async def scan(js: JetStream, stream: str, subjects: str) -> AsyncIterator[list[Message]]:
    """Yield what a stream holds of subjects, a batch at a time; what comes, or is changed, meanwhile is passed over."""
    end = await end_of(js, stream)
    start = 1
    while start <= end:
        batch = await js.read(stream, subjects, start_seq=start, batch=BATCH, octets_max=OCTETS_MAX)
        yield [message for message in batch if message.seq <= end]
        if not batch or batch[-1].headers["Nats-Num-Pending"] == "0":
            return
        start = batch[-1].seq + 1


async def pick(js: JetStream, stream: str, subjects: str) -> AsyncIterator[list[Message]]:
    """Yield what `scan` does, for subjects of one message each that are few among others: the index finds them."""
    found = await last_of_each(js, stream, subjects)
    if found is not None:
        yield found
        return
    async for batch in scan(js, stream, subjects):
        yield batch


async def next_of(js: JetStream, stream: str, subjects: str, start_seq: int) -> Message | None:
    """Return the first message of subjects from a sequence on; nobody counts the others for it, as for a batch."""
    found = await js.get(stream, {"next_by_subj": subjects, "seq": max(1, start_seq)})
    return found[0] if found else None


async def last_of_each(js: JetStream, stream: str, subjects: str) -> list[Message] | None:
    """Return the last message of each subject that matches, found by the index; None: they are over a thousand."""
    try:
        found = await js.get(stream, {"multi_last": [subjects]})
    except TooManyError:
        return None
    if found and found[-1].headers["Nats-Num-Pending"] != "0":
        raise QueueUnavailableError(f"{stream} was not read to the end")
    return found


async def subject_counts(js: JetStream, stream: str, subjects: str) -> AsyncIterator[Mapping[str, int]]:
    """Yield the subjects of a stream that match, with their numbers of messages, a page at a time."""
    offset = 0
    while True:
        wanted = {"subjects_filter": subjects, "offset": offset}
        answer = await js.request(f"STREAM.INFO.{stream}", wanted, LISTING_S)
        page: dict[str, int] = answer["state"].get("subjects") or {}
        yield page
        offset += len(page)
        if not page or offset >= answer["total"]:
            return
