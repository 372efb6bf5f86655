"""Settings from the environment: frozen dataclasses in, every fault at once out.

A field `nats_url` is read from PAQUEBOT_NATS_URL. A field without default is required.
"""

import dataclasses
import ipaddress
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

PREFIX = "PAQUEBOT_"
T = TypeVar("T")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class SettingsError(Exception):
    """Settings that cannot be used; `faults` names each variable and the cure."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port: `127.0.0.1:465`, `[::1]:465`, `auth.mail.svc:4000`."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address; raise ValueError with the expected form."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004  (the largest port)
            raise ValueError("expected host:port, as 127.0.0.1:465 or [::1]:465")
        return cls(host.strip("[]"), int(port))


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks of addresses, as CIDR: `10.0.0.0/8, 2001:db8::/32`."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Networks":
        """Read a list; raise ValueError with the expected form."""
        try:
            return cls(tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()))
        except ValueError as fault:
            raise ValueError(f"expected networks, as 10.0.0.0/8, 2001:db8::/32: {fault}") from fault

    def __contains__(self, address: str) -> bool:
        """Say whether an address lies in one of them; an IPv4 address also when it came mapped into IPv6."""
        if not self.networks:
            return False
        parsed = ipaddress.ip_address(address.partition("%")[0])
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self.networks)


def from_environment(kind: type[T], environ: Mapping[str, str]) -> T:
    """Return settings of a dataclass; raise SettingsError with all faults."""
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in dataclasses.fields(typing.cast("Any", kind)):
        variable = PREFIX + field.name.upper()
        text = environ.get(variable)
        if text is None:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                faults.append(f"{variable} is not set: it is required")
            continue
        try:
            values[field.name] = _read(text.strip(), hints[field.name])
        except ValueError as fault:
            faults.append(f"{variable} cannot be read: {fault}")
    if faults:
        raise SettingsError(tuple(faults))
    return kind(**values)


def _read(text: str, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        inner = next(each for each in typing.get_args(kind) if each is not types.NoneType)
        return _read(text, inner) if text else None
    if typing.get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind in {Address, Networks}:
        return kind.parse(text)
    if kind is bool:
        return _truth(text)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(text, kind)
    return _plain(text, kind)


def _plain(text: str, kind: Any) -> Any:
    if kind is str:
        return text
    if kind is Path:
        if not text:
            raise ValueError("expected a path")
        return Path(text)
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"expected {'a whole number' if kind is int else 'a number'}") from None


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return text.lower() in _TRUE


def _member(text: str, kind: type[Enum]) -> Enum:
    for member in kind:
        if str(member.value).lower() == text.lower():
            return member
    raise ValueError("expected one of " + ", ".join(str(member.value) for member in kind))
