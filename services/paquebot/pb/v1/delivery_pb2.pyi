from paquebot.pb.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BodyRef(_message.Message):
    __slots__ = ("chunks", "size_bytes", "stream")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    chunks: int
    size_bytes: int
    stream: int
    def __init__(self, chunks: _Optional[int] = ..., size_bytes: _Optional[int] = ..., stream: _Optional[int] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("id", "n", "tenant", "credential", "reverse_path", "return_path", "recipients", "domain", "site", "group", "pool", "lane", "partition", "prefix", "size_bytes", "eight_bit", "accepted_ms", "expires_ms", "attempts", "next_ms", "reason", "last_reply", "last_host", "crashes", "body", "held", "utf8", "envelope_id", "ret", "wishes", "delay_told", "tags", "route", "relayed", "hold_until_ms", "steered_ms", "order", "moving_to", "moving_from", "refuse_ms", "alarmed")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REVERSE_PATH_FIELD_NUMBER: _ClassVar[int]
    RETURN_PATH_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    EIGHT_BIT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LAST_REPLY_FIELD_NUMBER: _ClassVar[int]
    LAST_HOST_FIELD_NUMBER: _ClassVar[int]
    CRASHES_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    UTF8_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_ID_FIELD_NUMBER: _ClassVar[int]
    RET_FIELD_NUMBER: _ClassVar[int]
    WISHES_FIELD_NUMBER: _ClassVar[int]
    DELAY_TOLD_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    RELAYED_FIELD_NUMBER: _ClassVar[int]
    HOLD_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    STEERED_MS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    MOVING_TO_FIELD_NUMBER: _ClassVar[int]
    MOVING_FROM_FIELD_NUMBER: _ClassVar[int]
    REFUSE_MS_FIELD_NUMBER: _ClassVar[int]
    ALARMED_FIELD_NUMBER: _ClassVar[int]
    id: str
    n: int
    tenant: str
    credential: str
    reverse_path: str
    return_path: str
    recipients: _containers.RepeatedScalarFieldContainer[str]
    domain: str
    site: str
    group: str
    pool: str
    lane: int
    partition: int
    prefix: bytes
    size_bytes: int
    eight_bit: bool
    accepted_ms: int
    expires_ms: int
    attempts: int
    next_ms: int
    reason: str
    last_reply: _common_pb2.Reply
    last_host: str
    crashes: int
    body: BodyRef
    held: bool
    utf8: bool
    envelope_id: str
    ret: str
    wishes: _containers.RepeatedCompositeFieldContainer[_common_pb2.Wish]
    delay_told: bool
    tags: _containers.ScalarMap[str, str]
    route: str
    relayed: _containers.RepeatedScalarFieldContainer[str]
    hold_until_ms: int
    steered_ms: int
    order: str
    moving_to: str
    moving_from: str
    refuse_ms: int
    alarmed: bool
    def __init__(self, id: _Optional[str] = ..., n: _Optional[int] = ..., tenant: _Optional[str] = ..., credential: _Optional[str] = ..., reverse_path: _Optional[str] = ..., return_path: _Optional[str] = ..., recipients: _Optional[_Iterable[str]] = ..., domain: _Optional[str] = ..., site: _Optional[str] = ..., group: _Optional[str] = ..., pool: _Optional[str] = ..., lane: _Optional[int] = ..., partition: _Optional[int] = ..., prefix: _Optional[bytes] = ..., size_bytes: _Optional[int] = ..., eight_bit: _Optional[bool] = ..., accepted_ms: _Optional[int] = ..., expires_ms: _Optional[int] = ..., attempts: _Optional[int] = ..., next_ms: _Optional[int] = ..., reason: _Optional[str] = ..., last_reply: _Optional[_Union[_common_pb2.Reply, _Mapping]] = ..., last_host: _Optional[str] = ..., crashes: _Optional[int] = ..., body: _Optional[_Union[BodyRef, _Mapping]] = ..., held: _Optional[bool] = ..., utf8: _Optional[bool] = ..., envelope_id: _Optional[str] = ..., ret: _Optional[str] = ..., wishes: _Optional[_Iterable[_Union[_common_pb2.Wish, _Mapping]]] = ..., delay_told: _Optional[bool] = ..., tags: _Optional[_Mapping[str, str]] = ..., route: _Optional[str] = ..., relayed: _Optional[_Iterable[str]] = ..., hold_until_ms: _Optional[int] = ..., steered_ms: _Optional[int] = ..., order: _Optional[str] = ..., moving_to: _Optional[str] = ..., moving_from: _Optional[str] = ..., refuse_ms: _Optional[int] = ..., alarmed: _Optional[bool] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("deliveries", "split")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    split: bool
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ..., split: _Optional[bool] = ...) -> None: ...
