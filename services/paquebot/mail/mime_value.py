"""Structured MIME values: a token and its parameters (RFC 2045 §5.1, RFC 2183, RFC 2231). Never raises."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from paquebot.mail.header import decode_text, decode_words, unfold

VALUE_MAX_BYTES = 16_384  # what follows is not read
_REMEMBERED_MAX_BYTES = 100
_CONTINUATIONS_MAX = 100

_TOKEN = rb"[!#-'*+.0-9A-Z^-~-]+"
_HEAD = re.compile(rb"[ \t]*+(" + _TOKEN + rb"(?:/" + _TOKEN + rb")?+)")
_PARAMETER = re.compile(
    rb";[ \t]*+(" + _TOKEN + rb")[ \t]*+=[ \t]*+(?:\"((?:[^\"\\]|\\.)*+)\"|([^;\" \t][^;\"]*+)?)", re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
NO_PARAMETERS: Mapping[str, bytes] = MappingProxyType({})

Structured = tuple[str, Mapping[str, bytes]]


def structured(value: bytes) -> Structured:
    """Return the token in lower case, "" when there is none, and the parameters by lower-case name.

    Of a parameter that stands twice the first counts: that is what most readers do.
    """
    if len(value) <= _REMEMBERED_MAX_BYTES:
        return _remembered(value)
    return _read(value[:VALUE_MAX_BYTES])


def _read(value: bytes) -> Structured:
    line = unfold(value)
    head = _HEAD.match(line)
    token = head[1].decode("ascii").lower() if head else ""
    if b";" not in line:
        return token, NO_PARAMETERS
    parameters: dict[str, bytes] = {}
    for match in _PARAMETER.finditer(line):
        quoted = match[2]
        octets = (match[3] or b"").rstrip() if quoted is None else _ESCAPED.sub(rb"\1", quoted)
        parameters.setdefault(match[1].decode("ascii").lower(), octets)
    return token, MappingProxyType(parameters)


_remembered = lru_cache(maxsize=1024)(_read)  # most mail says the same few things


def parameter(parameters: Mapping[str, bytes], name: str) -> str:
    """Return a parameter as text, "" when absent; extended and continued forms are read (RFC 2231)."""
    if not parameters:
        return ""
    extended = parameters.get(name + "*")
    if extended is not None:
        return _extended(extended)
    plain = parameters.get(name)
    if plain is not None:
        return decode_words(plain)
    if f"{name}*0" in parameters or f"{name}*0*" in parameters:
        return _continued(parameters, name)
    return ""


def _continued(parameters: Mapping[str, bytes], name: str) -> str:
    pieces: list[bytes] = []
    charset = ""
    for number in range(_CONTINUATIONS_MAX):
        encoded = parameters.get(f"{name}*{number}*")
        if encoded is not None and number == 0:
            charset, encoded = _charset_of(encoded)
        piece = parameters.get(f"{name}*{number}") if encoded is None else unquote_to_bytes(encoded)
        if piece is None:
            break
        pieces.append(piece)
    return decode_text(b"".join(pieces), charset or "utf-8")


def _extended(octets: bytes) -> str:
    charset, encoded = _charset_of(octets)
    return decode_text(unquote_to_bytes(encoded), charset or "utf-8")


def _charset_of(octets: bytes) -> tuple[str, bytes]:
    charset, mark, rest = octets.partition(b"'")
    language_and_text = rest.partition(b"'")
    if not mark or not language_and_text[1]:
        return "", octets
    return charset.decode("latin-1").lower(), language_and_text[2]
