"""Names in the queue: streams, subjects, partitions. Pure; the only place that knows their form."""

import re
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from paquebot.mail.delivery import Delivery
from paquebot.mail.selector import Selector
from paquebot.queue.ways import way_of

SLICES = 4  # streams of a pool
PARTITIONS = 16
SITE_MAX = 120
SPLIT = "_split"  # the site of an item that holds all of a message's deliveries

_UNSAFE = re.compile(r"[^a-z0-9-]")
_ESCAPED = re.compile(r"_|=([0-9a-f]+)=")


def slot_of(name: str, slots: int) -> int:
    """Return the slot of its site that a delivery belongs to for life, by its name."""
    return crc32(name.encode()) % slots if slots > 1 else 0


@lru_cache(maxsize=4096)
def partition_of(site: str, slot: int = 0) -> int:
    """Return the partition that owns a site's slot."""
    digest = blake2b(f"{site}\0{slot}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % PARTITIONS


def slice_of(partition: int) -> int:
    """Return the stream of a partition."""
    return partition % SLICES


@lru_cache(maxsize=4096)
def site_token(site: str) -> str:
    """Return a site's name as one subject token: injective, lower case, at most SITE_MAX characters."""
    token = _UNSAFE.sub(lambda found: "_" if found[0] == "." else f"={ord(found[0]):x}=", site.lower())
    if len(token) <= SITE_MAX:
        return token
    return f"{token[:80]}={blake2b(site.lower().encode(), digest_size=16).hexdigest()}"


def site_named(token: str) -> str:
    """Return the site that a token stands for; the token itself of a name that is too long for one."""
    name = _ESCAPED.sub(lambda found: "." if found[0] == "_" else chr(int(found[1], 16)), token)
    return name if site_token(name) == token else token


def stream_name(pool: str, number: int) -> str:
    """Return the name of stream `number` of a pool."""
    return f"MQ_{pool}_{number}"


def stream_of(pool: str, partition: int) -> str:
    """Return the stream that holds a partition."""
    return stream_name(pool, slice_of(partition))


def consumer_name(partition: int, way: int) -> str:
    """Return the consumer of a partition's way."""
    return f"p{partition}l{way}"


def ready_filter(pool: str, partition: int, way: int) -> str:
    """Return what the consumer of a partition's way takes."""
    return f"mq.{pool}.{slice_of(partition)}.r.{partition}.{way}.>"


def ready_subject(delivery: Delivery) -> str:
    """Return where a delivery lies when it may be tried."""
    site = site_token(delivery.site)
    return _ready(delivery, site_token(delivery.group), site)


def split_subject(delivery: Delivery) -> str:
    """Return where a message with several deliveries lies until its owner expands it."""
    return _ready(delivery, "other", SPLIT)


def probe_subject(pool: str, number: int) -> str:
    """Return a subject of a pool's stream on which nothing is ever stored: questions about Msg-Ids go there."""
    return f"mq.{pool}.{number}.r.probe"


def deferred_subject(delivery: Delivery) -> str:
    """Return where a delivery lies while it waits for its time."""
    where = f"mq.{delivery.pool}.{slice_of(delivery.partition)}.d.{delivery.partition}"
    return f"{where}.{site_token(delivery.site)}.{delivery.id}.{delivery.n}"


def site_token_in(subject: str) -> str:
    """Return the token of the site in the subject of what is ready or waits; SPLIT in that of a split item."""
    tokens = subject.split(".", 8)
    return tokens[5] if tokens[3] == "d" else tokens[7]


def deferred_filter(pool: str, number: int) -> str:
    """Return the pattern of all that waits in a pool's stream."""
    return f"mq.{pool}.{number}.d.>"


def deferred_filter_in(pool: str, partition: int) -> str:
    """Return the pattern of all that waits in a partition."""
    return f"mq.{pool}.{slice_of(partition)}.d.{partition}.>"


def deferred_group_filter(pool: str, partition: int, group: str) -> str:
    """Return the pattern of what waits in a partition for a DestinationPolicy's group: its site has its name."""
    return f"mq.{pool}.{slice_of(partition)}.d.{partition}.{site_token(group)}.>"


def ready_group_filter(pool: str, partition: int, group: str) -> str:
    """Return the pattern of what is ready in a partition for a group, in all lanes."""
    return f"mq.{pool}.{slice_of(partition)}.r.{partition}.*.{site_token(group)}.>"


def deferred_filter_of(pool: str, number: int, ident: str, n: str = "*") -> str:
    """Return the pattern of a waiting delivery whose site is not known."""
    return f"mq.{pool}.{number}.d.*.*.{ident}.{n}"


def deferred_filters(pool: str, number: int, selector: Selector) -> list[str]:
    """Return patterns of what waits in a pool's stream that leave out as much as a subject can tell."""
    if selector.names:
        return [deferred_filter_of(pool, number, *name.split(".", 1)) for name in selector.names]
    sites = [f"mq.{pool}.{number}.d.*.{site_token(site)}.>" for site in selector.sites]
    return sites or [deferred_filter(pool, number)]


def ready_filters(pool: str, number: int, selector: Selector) -> list[str]:
    """Return patterns of what is ready in a pool's stream; items that are not expanded yet are among them."""
    if not selector.sites:
        return [ready_filter_all(pool, number)]
    return [f"mq.{pool}.{number}.r.*.*.*.{site}" for site in (SPLIT, *map(site_token, selector.sites))]


def ready_filter_all(pool: str, number: int) -> str:
    """Return the pattern of all that is ready in a pool's stream."""
    return f"mq.{pool}.{number}.r.>"


def split_filter(pool: str, number: int) -> str:
    """Return the pattern of all items of a pool's stream that are not expanded yet."""
    return f"mq.{pool}.{number}.r.*.*.*.{SPLIT}"


def ready_filter_at(pool: str, number: int, site: str) -> str:
    """Return the pattern of all that is ready for a site in a pool's stream."""
    return f"mq.{pool}.{number}.r.*.*.*.{site_token(site)}"


def deferred_filter_at(pool: str, number: int, site: str) -> str:
    """Return the pattern of all that waits for a site in a pool's stream."""
    return f"mq.{pool}.{number}.d.*.{site_token(site)}.*.*"


def owner_subject(pool: str, partition: int) -> str:
    """Return where a partition's owner record lies."""
    return f"mq.{pool}.{slice_of(partition)}.o.{partition}"


def owner_filter_all(pool: str, number: int) -> str:
    """Return the pattern of the owner records in a pool's stream."""
    return f"mq.{pool}.{number}.o.*"


def body_filter_all(pool: str, number: int) -> str:
    """Return the pattern of all contents in a pool's stream, markers included."""
    return f"mq.{pool}.{number}.b.>"


def chunk_subject(pool: str, number: int, ident: str, chunk: int) -> str:
    """Return where a chunk of a content lies."""
    return f"mq.{pool}.{number}.b.{ident}.{chunk}"


def chunk_filter(pool: str, number: int, ident: str) -> str:
    """Return the pattern of everything stored of a content, markers included."""
    return f"mq.{pool}.{number}.b.{ident}.>"


def marker_subject(pool: str, number: int, ident: str, n: int) -> str:
    """Return where the marker lies that says: delivery n still needs this content."""
    return f"mq.{pool}.{number}.b.{ident}.ref.{n}"


def marker_filter(pool: str, number: int, ident: str) -> str:
    """Return the pattern of a content's markers."""
    return f"mq.{pool}.{number}.b.{ident}.ref.*"


def doubt_subject(pool: str, ident: str, n: int) -> str:
    """Return where the release before noted that an attempt began."""
    return f"doubt.{pool}.{ident}.{n}"


def journal_subject(pool: str, pod: str, run: str, place: int) -> str:
    """Return where a batch of a process's journal lies: `run` tells the lives of a pod apart."""
    return f"doubt.{pool}.{site_token(pod) or '_'}.{run}.{place}"


def journal_filter(pool: str) -> str:
    """Return the pattern of all journals of a pool's deliverers."""
    return f"doubt.{pool}.*.*.*"


def event_subject(tenant: str, kind: str) -> str:
    """Return where records of a tenant and kind go."""
    return f"ev.{site_token(tenant) or '_'}.{kind}"


def _ready(delivery: Delivery, group: str, site: str) -> str:
    where = f"mq.{delivery.pool}.{slice_of(delivery.partition)}.r.{delivery.partition}"
    return f"{where}.{way_of(delivery).value}.{group}.{site}"
