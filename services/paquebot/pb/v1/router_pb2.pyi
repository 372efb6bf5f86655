from paquebot.pb.v1 import common_pb2 as _common_pb2
from paquebot.pb.v1 import delivery_pb2 as _delivery_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlanRequest(_message.Message):
    __slots__ = ("id", "principal", "envelope", "header_section", "body_hash", "size_bytes", "accepted_ms", "client_name", "client_address", "protocol", "lane", "tag_fields", "hold_ms", "hold_reason", "pool", "tags", "refuse_ms", "alarmed")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    HEADER_SECTION_FIELD_NUMBER: _ClassVar[int]
    BODY_HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_MS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELDS_FIELD_NUMBER: _ClassVar[int]
    HOLD_MS_FIELD_NUMBER: _ClassVar[int]
    HOLD_REASON_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    REFUSE_MS_FIELD_NUMBER: _ClassVar[int]
    ALARMED_FIELD_NUMBER: _ClassVar[int]
    id: str
    principal: _common_pb2.Principal
    envelope: _common_pb2.Envelope
    header_section: bytes
    body_hash: bytes
    size_bytes: int
    accepted_ms: int
    client_name: str
    client_address: str
    protocol: str
    lane: int
    tag_fields: bytes
    hold_ms: int
    hold_reason: str
    pool: str
    tags: _containers.ScalarMap[str, str]
    refuse_ms: int
    alarmed: bool
    def __init__(self, id: _Optional[str] = ..., principal: _Optional[_Union[_common_pb2.Principal, _Mapping]] = ..., envelope: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., header_section: _Optional[bytes] = ..., body_hash: _Optional[bytes] = ..., size_bytes: _Optional[int] = ..., accepted_ms: _Optional[int] = ..., client_name: _Optional[str] = ..., client_address: _Optional[str] = ..., protocol: _Optional[str] = ..., lane: _Optional[int] = ..., tag_fields: _Optional[bytes] = ..., hold_ms: _Optional[int] = ..., hold_reason: _Optional[str] = ..., pool: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., refuse_ms: _Optional[int] = ..., alarmed: _Optional[bool] = ...) -> None: ...

class PlanAnswer(_message.Message):
    __slots__ = ("deliveries", "refusal")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[_delivery_pb2.Delivery]
    refusal: _common_pb2.Reply
    def __init__(self, deliveries: _Optional[_Iterable[_Union[_delivery_pb2.Delivery, _Mapping]]] = ..., refusal: _Optional[_Union[_common_pb2.Reply, _Mapping]] = ...) -> None: ...

class PlanFrame(_message.Message):
    __slots__ = ("items",)
    class Item(_message.Message):
        __slots__ = ("item", "deadline_ms", "request")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
        REQUEST_FIELD_NUMBER: _ClassVar[int]
        item: int
        deadline_ms: int
        request: PlanRequest
        def __init__(self, item: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., request: _Optional[_Union[PlanRequest, _Mapping]] = ...) -> None: ...
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PlanFrame.Item]
    def __init__(self, items: _Optional[_Iterable[_Union[PlanFrame.Item, _Mapping]]] = ...) -> None: ...

class PlanAnswerFrame(_message.Message):
    __slots__ = ("items",)
    class Item(_message.Message):
        __slots__ = ("item", "answer", "fault")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        ANSWER_FIELD_NUMBER: _ClassVar[int]
        FAULT_FIELD_NUMBER: _ClassVar[int]
        item: int
        answer: PlanAnswer
        fault: _common_pb2.Fault
        def __init__(self, item: _Optional[int] = ..., answer: _Optional[_Union[PlanAnswer, _Mapping]] = ..., fault: _Optional[_Union[_common_pb2.Fault, _Mapping]] = ...) -> None: ...
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PlanAnswerFrame.Item]
    def __init__(self, items: _Optional[_Iterable[_Union[PlanAnswerFrame.Item, _Mapping]]] = ...) -> None: ...
