from paquebot.pb.v1 import common_pb2 as _common_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthenticateRequest(_message.Message):
    __slots__ = ("username", "password", "address", "token")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    username: str
    password: bytes
    address: str
    token: bytes
    def __init__(self, username: _Optional[str] = ..., password: _Optional[bytes] = ..., address: _Optional[str] = ..., token: _Optional[bytes] = ...) -> None: ...

class AuthenticateAnswer(_message.Message):
    __slots__ = ("principal", "refusal")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    principal: _common_pb2.Principal
    refusal: Refusal
    def __init__(self, principal: _Optional[_Union[_common_pb2.Principal, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reply", "delay_ms", "close")
    REPLY_FIELD_NUMBER: _ClassVar[int]
    DELAY_MS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    reply: _common_pb2.Reply
    delay_ms: int
    close: bool
    def __init__(self, reply: _Optional[_Union[_common_pb2.Reply, _Mapping]] = ..., delay_ms: _Optional[int] = ..., close: _Optional[bool] = ...) -> None: ...

class LeaseRequest(_message.Message):
    __slots__ = ("tenant", "credential", "messages")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    credential: str
    messages: int
    def __init__(self, tenant: _Optional[str] = ..., credential: _Optional[str] = ..., messages: _Optional[int] = ...) -> None: ...

class LeaseAnswer(_message.Message):
    __slots__ = ("granted", "valid_ms", "retry_ms", "reason")
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    VALID_MS_FIELD_NUMBER: _ClassVar[int]
    RETRY_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    granted: int
    valid_ms: int
    retry_ms: int
    reason: str
    def __init__(self, granted: _Optional[int] = ..., valid_ms: _Optional[int] = ..., retry_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
