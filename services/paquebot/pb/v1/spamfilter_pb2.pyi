from paquebot.pb.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JudgeRequest(_message.Message):
    __slots__ = ("id", "principal", "envelope", "content", "sampled", "size_bytes", "client_address", "client_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    principal: _common_pb2.Principal
    envelope: _common_pb2.Envelope
    content: bytes
    sampled: bool
    size_bytes: int
    client_address: str
    client_name: str
    def __init__(self, id: _Optional[str] = ..., principal: _Optional[_Union[_common_pb2.Principal, _Mapping]] = ..., envelope: _Optional[_Union[_common_pb2.Envelope, _Mapping]] = ..., content: _Optional[bytes] = ..., sampled: _Optional[bool] = ..., size_bytes: _Optional[int] = ..., client_address: _Optional[str] = ..., client_name: _Optional[str] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("rule", "weight", "text")
    RULE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    rule: str
    weight: float
    text: str
    def __init__(self, rule: _Optional[str] = ..., weight: _Optional[float] = ..., text: _Optional[str] = ...) -> None: ...

class Terms(_message.Message):
    __slots__ = ("content", "learned", "reputation", "behaviour")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LEARNED_FIELD_NUMBER: _ClassVar[int]
    REPUTATION_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOUR_FIELD_NUMBER: _ClassVar[int]
    content: float
    learned: float
    reputation: float
    behaviour: float
    def __init__(self, content: _Optional[float] = ..., learned: _Optional[float] = ..., reputation: _Optional[float] = ..., behaviour: _Optional[float] = ...) -> None: ...

class Levels(_message.Message):
    __slots__ = ("tag", "hold", "reject")
    TAG_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    tag: float
    hold: float
    reject: float
    def __init__(self, tag: _Optional[float] = ..., hold: _Optional[float] = ..., reject: _Optional[float] = ...) -> None: ...

class Traits(_message.Message):
    __slots__ = ("logit", "author", "network", "agent", "links", "template")
    LOGIT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    logit: float
    author: str
    network: int
    agent: int
    links: _containers.RepeatedScalarFieldContainer[str]
    template: int
    def __init__(self, logit: _Optional[float] = ..., author: _Optional[str] = ..., network: _Optional[int] = ..., agent: _Optional[int] = ..., links: _Optional[_Iterable[str]] = ..., template: _Optional[int] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("action", "probability", "reasons", "shadow_action", "sampled", "model", "alarmed", "unscanned", "terms", "levels", "whose", "traits", "slow")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_ACTION_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ALARMED_FIELD_NUMBER: _ClassVar[int]
    UNSCANNED_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    WHOSE_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    action: str
    probability: float
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    shadow_action: str
    sampled: bool
    model: str
    alarmed: bool
    unscanned: bool
    terms: Terms
    levels: Levels
    whose: str
    traits: Traits
    slow: str
    def __init__(self, action: _Optional[str] = ..., probability: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ..., shadow_action: _Optional[str] = ..., sampled: _Optional[bool] = ..., model: _Optional[str] = ..., alarmed: _Optional[bool] = ..., unscanned: _Optional[bool] = ..., terms: _Optional[_Union[Terms, _Mapping]] = ..., levels: _Optional[_Union[Levels, _Mapping]] = ..., whose: _Optional[str] = ..., traits: _Optional[_Union[Traits, _Mapping]] = ..., slow: _Optional[str] = ...) -> None: ...

class JudgeFrame(_message.Message):
    __slots__ = ("items",)
    class Item(_message.Message):
        __slots__ = ("item", "deadline_ms", "request")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
        REQUEST_FIELD_NUMBER: _ClassVar[int]
        item: int
        deadline_ms: int
        request: JudgeRequest
        def __init__(self, item: _Optional[int] = ..., deadline_ms: _Optional[int] = ..., request: _Optional[_Union[JudgeRequest, _Mapping]] = ...) -> None: ...
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[JudgeFrame.Item]
    def __init__(self, items: _Optional[_Iterable[_Union[JudgeFrame.Item, _Mapping]]] = ...) -> None: ...

class VerdictFrame(_message.Message):
    __slots__ = ("items",)
    class Item(_message.Message):
        __slots__ = ("item", "answer", "fault")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        ANSWER_FIELD_NUMBER: _ClassVar[int]
        FAULT_FIELD_NUMBER: _ClassVar[int]
        item: int
        answer: Verdict
        fault: _common_pb2.Fault
        def __init__(self, item: _Optional[int] = ..., answer: _Optional[_Union[Verdict, _Mapping]] = ..., fault: _Optional[_Union[_common_pb2.Fault, _Mapping]] = ...) -> None: ...
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[VerdictFrame.Item]
    def __init__(self, items: _Optional[_Iterable[_Union[VerdictFrame.Item, _Mapping]]] = ...) -> None: ...
