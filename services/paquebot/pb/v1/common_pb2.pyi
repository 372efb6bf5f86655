from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Reply(_message.Message):
    __slots__ = ("code", "enhanced", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ENHANCED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: int
    enhanced: str
    text: str
    def __init__(self, code: _Optional[int] = ..., enhanced: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Wish(_message.Message):
    __slots__ = ("recipient", "notify", "orcpt")
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    NOTIFY_FIELD_NUMBER: _ClassVar[int]
    ORCPT_FIELD_NUMBER: _ClassVar[int]
    recipient: str
    notify: _containers.RepeatedScalarFieldContainer[str]
    orcpt: str
    def __init__(self, recipient: _Optional[str] = ..., notify: _Optional[_Iterable[str]] = ..., orcpt: _Optional[str] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("reverse_path", "recipients", "eight_bit", "utf8", "envelope_id", "ret", "wishes")
    REVERSE_PATH_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    EIGHT_BIT_FIELD_NUMBER: _ClassVar[int]
    UTF8_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_ID_FIELD_NUMBER: _ClassVar[int]
    RET_FIELD_NUMBER: _ClassVar[int]
    WISHES_FIELD_NUMBER: _ClassVar[int]
    reverse_path: str
    recipients: _containers.RepeatedScalarFieldContainer[str]
    eight_bit: bool
    utf8: bool
    envelope_id: str
    ret: str
    wishes: _containers.RepeatedCompositeFieldContainer[Wish]
    def __init__(self, reverse_path: _Optional[str] = ..., recipients: _Optional[_Iterable[str]] = ..., eight_bit: _Optional[bool] = ..., utf8: _Optional[bool] = ..., envelope_id: _Optional[str] = ..., ret: _Optional[str] = ..., wishes: _Optional[_Iterable[_Union[Wish, _Mapping]]] = ...) -> None: ...

class Principal(_message.Message):
    __slots__ = ("tenant", "credential", "senders", "any_sender", "internal", "messages_per_hour", "message_size_max_bytes", "recipients_max")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    SENDERS_FIELD_NUMBER: _ClassVar[int]
    ANY_SENDER_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SIZE_MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_MAX_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    credential: str
    senders: _containers.RepeatedScalarFieldContainer[str]
    any_sender: bool
    internal: bool
    messages_per_hour: int
    message_size_max_bytes: int
    recipients_max: int
    def __init__(self, tenant: _Optional[str] = ..., credential: _Optional[str] = ..., senders: _Optional[_Iterable[str]] = ..., any_sender: _Optional[bool] = ..., internal: _Optional[bool] = ..., messages_per_hour: _Optional[int] = ..., message_size_max_bytes: _Optional[int] = ..., recipients_max: _Optional[int] = ...) -> None: ...

class Fault(_message.Message):
    __slots__ = ("code", "text")
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CODE_UNSPECIFIED: _ClassVar[Fault.Code]
        UNAVAILABLE: _ClassVar[Fault.Code]
        DEADLINE: _ClassVar[Fault.Code]
        INVALID: _ClassVar[Fault.Code]
        INTERNAL: _ClassVar[Fault.Code]
    CODE_UNSPECIFIED: Fault.Code
    UNAVAILABLE: Fault.Code
    DEADLINE: Fault.Code
    INVALID: Fault.Code
    INTERNAL: Fault.Code
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: Fault.Code
    text: str
    def __init__(self, code: _Optional[_Union[Fault.Code, str]] = ..., text: _Optional[str] = ...) -> None: ...
