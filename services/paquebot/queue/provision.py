"""Streams, consumers and buckets: the publisher creates them, everybody else compares and reports drift."""

from collections.abc import Mapping
from typing import Any

from paquebot.policy.values import Policy
from paquebot.queue.jetstream import ApiError, JetStream
from paquebot.queue.pull import GROUP
from paquebot.queue.subjects import PARTITIONS, SLICES, consumer_name, ready_filter, slice_of, stream_name
from paquebot.queue.ways import Way

NANOSECONDS = 10**9
ACK_WAIT_S = 60
PIN_S = 15  # a silent puller loses its pin after this
DUPLICATES_S = 600
EVENTS_AGE_S = 72 * 3600
EVENTS_BYTES_MAX = 512 << 20  # reserved from the account's storage
JOURNAL = "DOUBT"
JOURNAL_AGE_S = 150  # longer than a crashed owner's items need to come back
JOURNAL_BYTES_MAX = 64 << 20
POOLS_MAX = 20
BUCKETS = (
    *("policy", "credentials", "orders", "members", "platform", "sites", "suppression", "claims", "reputation"),
    *("deltas", "judged", "models", "replay"),
)
SUPPRESSED_MAX = 1_000_000  # entries of all SuppressionLists: services keep them in memory
REPUTATION_MAX = 500_000  # keys of senders' histories: when full those that were written longest ago go
DELTAS_MAX = 2000  # tenants that have taught something: services keep them in memory
JUDGED_MAX = 100_000  # messages that people may yet teach by: when full the oldest go
REPLAY_MAX = 2_000  # messages that are shared for training: when full the oldest go
REPUTATION_CONSUMER = "reputation"
REPUTATION_KINDS = ("accepted", "held", "released", "refused", "failed", "resumed", "complaint", "unsubscribe")
CLAIMS_MAX = 500_000  # keys of messages that are known again, in the server's memory: when full the oldest go
MEMBER_TTL_S = 10
_KEYS_MAX = {
    "suppression": SUPPRESSED_MAX,
    "claims": CLAIMS_MAX,
    "reputation": REPUTATION_MAX,
    "deltas": DELTAS_MAX,
    "judged": JUDGED_MAX,
    "replay": REPLAY_MAX,
}

NOT_FOUND = 10059
CONSUMER_NOT_FOUND = 10014


def stream_config(pool: str, number: int, replicas: int = 1) -> dict[str, Any]:
    """Return the configuration of one of a pool's streams. No limit may discard mail: admission replaces it."""
    return {
        "name": stream_name(pool, number),
        "subjects": [f"mq.{pool}.{number}.>"],
        "retention": "workqueue",
        "storage": "file",
        "discard": "old",
        "num_replicas": replicas,
        "duplicate_window": DUPLICATES_S * NANOSECONDS,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "allow_msg_schedules": True,
    }


def consumer_config(pool: str, partition: int, way: int) -> dict[str, Any]:
    """Return the configuration of the consumer of a partition's way."""
    return {
        "name": consumer_name(partition, way),
        "durable_name": consumer_name(partition, way),
        "ack_policy": "explicit",
        "ack_wait": ACK_WAIT_S * NANOSECONDS,
        "max_deliver": -1,
        "max_ack_pending": 5000,
        "mem_storage": True,
        "filter_subject": ready_filter(pool, partition, way),
        "priority_groups": [GROUP],
        "priority_policy": "pinned_client",
        "priority_timeout": PIN_S * NANOSECONDS,
    }


def reputation_config() -> dict[str, Any]:
    """Return the configuration of the consumer of events that feeds the histories of senders, on disk as they are."""
    return {
        "name": REPUTATION_CONSUMER,
        "durable_name": REPUTATION_CONSUMER,
        "ack_policy": "explicit",
        "ack_wait": ACK_WAIT_S * NANOSECONDS,
        "max_deliver": -1,
        "max_ack_pending": 5000,
        "filter_subjects": [f"ev.*.{kind}" for kind in REPUTATION_KINDS],
        "priority_groups": [GROUP],
        "priority_policy": "pinned_client",
        "priority_timeout": PIN_S * NANOSECONDS,
    }


def platform_streams() -> list[dict[str, Any]]:
    """Return the configurations of everything that is not a pool's."""
    events = {
        "name": "EV",
        "subjects": ["ev.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_age": EVENTS_AGE_S * NANOSECONDS,
        "max_bytes": EVENTS_BYTES_MAX,
        "duplicate_window": DUPLICATES_S * NANOSECONDS,
        "allow_direct": True,
    }
    return [events, journal_config(), *(_bucket(name) for name in BUCKETS)]


def journal_config() -> dict[str, Any]:
    """Return the configuration of the journal of attempts: in memory, so it goes with the server's restart."""
    return {
        "name": JOURNAL,
        "subjects": ["doubt.>"],
        "retention": "limits",
        "storage": "memory",
        "discard": "old",
        "max_age": JOURNAL_AGE_S * NANOSECONDS,
        "max_bytes": JOURNAL_BYTES_MAX,
        "max_msgs_per_subject": 1,
        "duplicate_window": JOURNAL_AGE_S * NANOSECONDS,
        "allow_direct": True,
    }


async def provision(js: JetStream, policy: Policy, replicas: int = 1) -> None:
    """Create what is missing and update what differs; each stream is kept on `replicas` servers."""
    if len(policy.pools) > POOLS_MAX:
        raise ValueError(f"{len(policy.pools)} pools: at most {POOLS_MAX} are tested")
    for config in platform_streams():
        await _ensure_stream(js, config | {"num_replicas": replicas})
    await _ensure_consumer(js, "EV", reputation_config())
    for pool in policy.pools:
        for number in range(SLICES):
            await _ensure_stream(js, stream_config(pool, number, replicas))
        for partition in range(PARTITIONS):
            await ensure_consumers(js, pool, partition)


async def ensure_consumers(js: JetStream, pool: str, partition: int) -> None:
    """Create a partition's consumers; they live in memory and go with the server's restart."""
    stream = stream_name(pool, slice_of(partition))
    for way in Way:
        config = consumer_config(pool, partition, way)
        await js.request(
            f"CONSUMER.CREATE.{stream}.{config['name']}.{config['filter_subject']}",
            {"stream_name": stream, "config": config, "action": ""},
        )


async def _ensure_consumer(js: JetStream, stream: str, config: Mapping[str, Any]) -> None:
    body = {"stream_name": stream, "config": config, "action": ""}
    await js.request(f"CONSUMER.CREATE.{stream}.{config['name']}", body)


async def ensure_journal(js: JetStream, pool: str) -> None:
    """Create the journal if a server's restart took it, on as many servers as the pool's streams.

    Deliverers do so: without it nothing that was in other hands is ever tried again.
    """
    kept = (await js.request(f"STREAM.INFO.{stream_name(pool, 0)}"))["config"]["num_replicas"]
    try:
        await js.request(f"STREAM.INFO.{JOURNAL}")
    except ApiError as error:
        if error.err_code != NOT_FOUND:
            raise
        await js.request(f"STREAM.CREATE.{JOURNAL}", journal_config() | {"num_replicas": kept})


async def drift(js: JetStream, pool: str) -> list[str]:
    """Return how a pool's streams differ from what this release expects, in sentences."""
    faults = []
    for number in range(SLICES):
        wanted = stream_config(pool, number)
        try:
            found = (await js.request(f"STREAM.INFO.{wanted['name']}"))["config"]
        except ApiError as error:
            faults.append(f"stream {wanted['name']}: {error.description}")
            continue
        faults += [
            f"stream {wanted['name']}: {key} is {found.get(key)!r}, expected {value!r}"
            for key, value in wanted.items()
            if key != "num_replicas" and not _same(found.get(key), value)
        ]
    return faults


async def _ensure_stream(js: JetStream, config: Mapping[str, Any]) -> None:
    try:
        found = (await js.request(f"STREAM.INFO.{config['name']}"))["config"]
    except ApiError as error:
        if error.err_code != NOT_FOUND:
            raise
        await js.request(f"STREAM.CREATE.{config['name']}", config, timeout_s=20)
        return
    if any(not _same(found.get(key), value) for key, value in config.items()):
        await js.request(f"STREAM.UPDATE.{config['name']}", {**found, **config}, timeout_s=20)


def _same(found: object, wanted: object) -> bool:
    return found == wanted or (not found and not wanted)


def _bucket(name: str) -> dict[str, Any]:
    return {
        "name": f"KV_{name}",
        "subjects": [f"$KV.{name}.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "old" if name in {"claims", "reputation", "deltas", "judged", "replay"} else "new",
        "max_msgs_per_subject": 1,
        "max_msgs": _KEYS_MAX.get(name, -1),
        "duplicate_window": 120 * NANOSECONDS,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "allow_msg_ttl": True,
    }
