"""The nats-server's configuration: TLS with client certificates mapped to users, and what each user may do.

The identity in a process's certificate is its NATS user; there is no other secret.
"""

from dataclasses import dataclass
from pathlib import Path

from paquebot.queue.provision import BUCKETS, JOURNAL, REPUTATION_CONSUMER

SYSTEM_USER = "system"
STORAGE_MAX_BYTES = 8 << 30

# The streams and subjects of the queue, as patterns that permissions need.
_READ_POLICY = ("$JS.API.DIRECT.GET.KV_policy", "$JS.API.STREAM.INFO.KV_policy")
_MEMBER = ("$KV.members.>",)
_READ_MEMBERS = ("$JS.API.DIRECT.GET.KV_members", "$JS.API.STREAM.INFO.KV_members")
_READ_PLATFORM = ("$JS.API.DIRECT.GET.KV_platform", "$JS.API.INFO")
_SUPPRESSION = "$JS.API.DIRECT.GET.KV_suppression"
_CLAIMS = ("$KV.claims.*.*", "$JS.API.DIRECT.GET.KV_claims")
_READ_ORDERS = ("$JS.API.DIRECT.GET.KV_orders", "$JS.API.STREAM.INFO.KV_orders")
_COMMON = (*_READ_POLICY, *_MEMBER, *_READ_PLATFORM)

PERMISSIONS: dict[str, tuple[str, ...]] = {
    "submission": (
        *_COMMON,
        *_CLAIMS,
        "mq.*.*.r.>",
        "mq.*.*.d.>",
        "mq.*.*.b.>",
        "ev.>",
        "$JS.API.STREAM.INFO.*",
        *_READ_ORDERS,
        _SUPPRESSION,
    ),
    "auth": (*_COMMON, *_READ_ORDERS, "$JS.API.DIRECT.GET.KV_credentials", "$JS.API.STREAM.INFO.KV_credentials"),
    "spamfilter": (
        *_COMMON,
        *_READ_ORDERS,
        "$KV.orders.suspend.credentials.*",
        "$KV.orders.takeover.*",
        "ev.*.alarmed",
        "ev.*.suspended",
        "$KV.reputation.>",
        "$JS.API.DIRECT.GET.KV_reputation",
        "$JS.API.STREAM.INFO.KV_reputation",
        f"$JS.API.CONSUMER.MSG.NEXT.EV.{REPUTATION_CONSUMER}",
        f"$JS.API.CONSUMER.UNPIN.EV.{REPUTATION_CONSUMER}",
        f"$JS.ACK.EV.{REPUTATION_CONSUMER}.>",
        "$KV.deltas.*",
        "$JS.API.DIRECT.GET.KV_deltas",
        "$JS.API.STREAM.INFO.KV_deltas",
        "$KV.judged.*.*",
        "$JS.API.DIRECT.GET.KV_judged",
        "$JS.API.DIRECT.GET.EV",
        "$JS.API.DIRECT.GET.KV_models",
    ),
    "router": _COMMON,
    "deliverer": (
        *_COMMON,
        *_READ_MEMBERS,
        "mq.>",
        "ev.>",
        "doubt.>",
        "$KV.sites.>",
        "$KV.suppression.*.*.*",
        "$JS.ACK.>",
        *_READ_ORDERS,
        "$JS.API.DIRECT.GET.*",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.STREAM.PURGE.*",
        f"$JS.API.STREAM.CREATE.{JOURNAL}",
        "$JS.API.CONSUMER.CREATE.>",
        "$JS.API.CONSUMER.MSG.NEXT.>",
        "$JS.API.CONSUMER.UNPIN.>",
    ),
}
# What the patterns above would give too much of: a subject cannot say "streams whose name begins with MQ_".
# A consumer would read any stream whole; a stream's state lists its subjects, which are user names in credentials.
_SECRETS = ("$JS.API.DIRECT.GET.KV_credentials", "$JS.API.STREAM.INFO.KV_credentials")
_NO_POOLS_STREAMS = ("EV", JOURNAL, *(f"KV_{name}" for name in BUCKETS))
DENIED: dict[str, tuple[str, ...]] = {
    "submission": _SECRETS,
    "deliverer": (
        *_SECRETS,
        *(f"$JS.API.STREAM.PURGE.{name}" for name in _NO_POOLS_STREAMS),
        *(f"$JS.API.CONSUMER.CREATE.{name}" for name in _NO_POOLS_STREAMS),
        *(f"$JS.API.CONSUMER.CREATE.{name}.>" for name in _NO_POOLS_STREAMS),
    ),
}
UNLIMITED = ("publisher", "admin")


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where a nats-server stores and listens, and whose certificates it trusts."""

    store: Path
    identity: Path  # folder with ca.crt, tls.crt, tls.key
    port: int
    storage_max_bytes: int = STORAGE_MAX_BYTES
    sync_interval: str = "always"


def server_config(place: ServerPlace) -> str:
    """Return the configuration file's text. It holds no secret."""
    users = "\n".join(f"      {line}" for line in user_lines())
    return f"""\
server_name: paquebot
listen: "127.0.0.1:{place.port}"
max_payload: 8MB
max_pending: 128MB
write_deadline: "30s"
jetstream {{
  store_dir: "{place.store}"
  sync_interval: {place.sync_interval}
  max_file_store: {place.storage_max_bytes * 2}
  max_memory_store: 256MB
}}
tls {{
  cert_file: "{place.identity}/tls.crt"
  key_file: "{place.identity}/tls.key"
  ca_file: "{place.identity}/ca.crt"
  verify_and_map: true
  handshake_first: true
  timeout: 5
}}
accounts {{
  MAIL {{
    jetstream: {{ max_file: {place.storage_max_bytes}, max_memory: 128MB }}
    users: [
{users}
    ]
  }}
  SYS {{ users: [ {{ user: "{SYSTEM_USER}" }} ] }}
}}
system_account: SYS
"""


def user_lines() -> tuple[str, ...]:
    """Return the account's users as the server's configuration lists them, a line each."""
    return tuple(_user(name) for name in (*PERMISSIONS, *UNLIMITED))


def _user(name: str) -> str:
    if name in UNLIMITED:
        return f'{{ user: "{name}" }}'
    allowed = ", ".join(f'"{subject}"' for subject in PERMISSIONS[name])
    denied = ", ".join(f'"{subject}"' for subject in DENIED.get(name, ()))
    publish = f"allow: [{allowed}]" + (f", deny: [{denied}]" if denied else "")
    return f'{{ user: "{name}", permissions: {{ publish: {{ {publish} }}, subscribe: ["_INBOX_{name}.>"] }} }}'
