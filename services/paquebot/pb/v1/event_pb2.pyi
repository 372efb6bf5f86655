from paquebot.pb.v1 import common_pb2 as _common_pb2
from paquebot.pb.v1 import spamfilter_pb2 as _spamfilter_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Personal(_message.Message):
    __slots__ = ("recipients", "reverse_path")
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    REVERSE_PATH_FIELD_NUMBER: _ClassVar[int]
    recipients: _containers.RepeatedScalarFieldContainer[str]
    reverse_path: str
    def __init__(self, recipients: _Optional[_Iterable[str]] = ..., reverse_path: _Optional[str] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("kind", "at_ms", "id", "n", "tenant", "personal", "credential", "pool", "site", "domain", "lane", "attempt", "host", "reply", "reason", "next_ms", "took_ms", "tls", "size_bytes", "report_of", "author", "report", "verdict")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NEXT_MS_FIELD_NUMBER: _ClassVar[int]
    TOOK_MS_FIELD_NUMBER: _ClassVar[int]
    TLS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    REPORT_OF_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    at_ms: int
    id: str
    n: int
    tenant: str
    personal: Personal
    credential: str
    pool: str
    site: str
    domain: str
    lane: int
    attempt: int
    host: str
    reply: _common_pb2.Reply
    reason: str
    next_ms: int
    took_ms: int
    tls: str
    size_bytes: int
    report_of: str
    author: str
    report: str
    verdict: _spamfilter_pb2.Verdict
    def __init__(self, kind: _Optional[str] = ..., at_ms: _Optional[int] = ..., id: _Optional[str] = ..., n: _Optional[int] = ..., tenant: _Optional[str] = ..., personal: _Optional[_Union[Personal, _Mapping]] = ..., credential: _Optional[str] = ..., pool: _Optional[str] = ..., site: _Optional[str] = ..., domain: _Optional[str] = ..., lane: _Optional[int] = ..., attempt: _Optional[int] = ..., host: _Optional[str] = ..., reply: _Optional[_Union[_common_pb2.Reply, _Mapping]] = ..., reason: _Optional[str] = ..., next_ms: _Optional[int] = ..., took_ms: _Optional[int] = ..., tls: _Optional[str] = ..., size_bytes: _Optional[int] = ..., report_of: _Optional[str] = ..., author: _Optional[str] = ..., report: _Optional[str] = ..., verdict: _Optional[_Union[_spamfilter_pb2.Verdict, _Mapping]] = ...) -> None: ...

class RecordBatch(_message.Message):
    __slots__ = ("format", "records")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    format: int
    records: _containers.RepeatedCompositeFieldContainer[Record]
    def __init__(self, format: _Optional[int] = ..., records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ...) -> None: ...
