from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StateRequest(_message.Message):
    __slots__ = ("site", "tenant", "message", "sites_max")
    SITE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SITES_MAX_FIELD_NUMBER: _ClassVar[int]
    site: str
    tenant: str
    message: str
    sites_max: int
    def __init__(self, site: _Optional[str] = ..., tenant: _Optional[str] = ..., message: _Optional[str] = ..., sites_max: _Optional[int] = ...) -> None: ...

class Pace(_message.Message):
    __slots__ = ("allowed_per_s", "observed_per_s", "connections_allowed", "level", "slowed_by")
    ALLOWED_PER_S_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_PER_S_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SLOWED_BY_FIELD_NUMBER: _ClassVar[int]
    allowed_per_s: float
    observed_per_s: float
    connections_allowed: int
    level: int
    slowed_by: str
    def __init__(self, allowed_per_s: _Optional[float] = ..., observed_per_s: _Optional[float] = ..., connections_allowed: _Optional[int] = ..., level: _Optional[int] = ..., slowed_by: _Optional[str] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("lane", "tenant", "waiting")
    LANE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    lane: int
    tenant: str
    waiting: int
    def __init__(self, lane: _Optional[int] = ..., tenant: _Optional[str] = ..., waiting: _Optional[int] = ...) -> None: ...

class Said(_message.Message):
    __slots__ = ("kind", "at_ms", "host", "text")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    at_ms: int
    host: str
    text: str
    def __init__(self, kind: _Optional[str] = ..., at_ms: _Optional[int] = ..., host: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Counts(_message.Message):
    __slots__ = ("delivered", "deferred", "failed")
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DEFERRED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    delivered: int
    deferred: int
    failed: int
    def __init__(self, delivered: _Optional[int] = ..., deferred: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

class SiteState(_message.Message):
    __slots__ = ("site", "group", "state", "reason", "until_ms", "connections", "in_flight", "waiting", "pace", "shares", "said", "counts", "domain", "slot", "slots")
    SITE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    SAID_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    site: str
    group: str
    state: str
    reason: str
    until_ms: int
    connections: int
    in_flight: int
    waiting: int
    pace: Pace
    shares: _containers.RepeatedCompositeFieldContainer[Share]
    said: _containers.RepeatedCompositeFieldContainer[Said]
    counts: Counts
    domain: str
    slot: int
    slots: int
    def __init__(self, site: _Optional[str] = ..., group: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., until_ms: _Optional[int] = ..., connections: _Optional[int] = ..., in_flight: _Optional[int] = ..., waiting: _Optional[int] = ..., pace: _Optional[_Union[Pace, _Mapping]] = ..., shares: _Optional[_Iterable[_Union[Share, _Mapping]]] = ..., said: _Optional[_Iterable[_Union[Said, _Mapping]]] = ..., counts: _Optional[_Union[Counts, _Mapping]] = ..., domain: _Optional[str] = ..., slot: _Optional[int] = ..., slots: _Optional[int] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("in_hand", "in_hand_bytes", "sites", "connections")
    IN_HAND_FIELD_NUMBER: _ClassVar[int]
    IN_HAND_BYTES_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    in_hand: int
    in_hand_bytes: int
    sites: int
    connections: int
    def __init__(self, in_hand: _Optional[int] = ..., in_hand_bytes: _Optional[int] = ..., sites: _Optional[int] = ..., connections: _Optional[int] = ...) -> None: ...

class InHand(_message.Message):
    __slots__ = ("name", "site", "stage", "ahead", "since_ms", "slot")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    name: str
    site: str
    stage: str
    ahead: int
    since_ms: int
    slot: int
    def __init__(self, name: _Optional[str] = ..., site: _Optional[str] = ..., stage: _Optional[str] = ..., ahead: _Optional[int] = ..., since_ms: _Optional[int] = ..., slot: _Optional[int] = ...) -> None: ...

class DelivererState(_message.Message):
    __slots__ = ("pod", "pool", "partitions", "sites", "draining", "load", "revision", "counts", "at_ms", "found")
    POD_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    pod: str
    pool: str
    partitions: _containers.RepeatedScalarFieldContainer[int]
    sites: _containers.RepeatedCompositeFieldContainer[SiteState]
    draining: bool
    load: Load
    revision: str
    counts: Counts
    at_ms: int
    found: _containers.RepeatedCompositeFieldContainer[InHand]
    def __init__(self, pod: _Optional[str] = ..., pool: _Optional[str] = ..., partitions: _Optional[_Iterable[int]] = ..., sites: _Optional[_Iterable[_Union[SiteState, _Mapping]]] = ..., draining: _Optional[bool] = ..., load: _Optional[_Union[Load, _Mapping]] = ..., revision: _Optional[str] = ..., counts: _Optional[_Union[Counts, _Mapping]] = ..., at_ms: _Optional[int] = ..., found: _Optional[_Iterable[_Union[InHand, _Mapping]]] = ...) -> None: ...
