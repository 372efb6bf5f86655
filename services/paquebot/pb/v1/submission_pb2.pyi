from paquebot.pb.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitRequest(_message.Message):
    __slots__ = ("envelope", "content", "id", "report_of", "tenant", "pool", "tags", "lane", "idempotency_key")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_OF_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    envelope: _common_pb2.Envelope
    content: bytes
    id: str
    report_of: str
    tenant: str
    pool: str
    tags: _containers.ScalarMap[str, str]
    lane: str
    idempotency_key: str
    def __init__(self, envelope: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., content: _Optional[bytes] = ..., id: _Optional[str] = ..., report_of: _Optional[str] = ..., tenant: _Optional[str] = ..., pool: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., lane: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class SubmitAnswer(_message.Message):
    __slots__ = ("reply", "id")
    REPLY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    reply: _common_pb2.Reply
    id: str
    def __init__(self, reply: _Optional[_Union[_common_pb2.Reply, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...
