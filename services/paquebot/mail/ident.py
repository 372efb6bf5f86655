"""Names of messages: UUIDv7 for messages, UUIDv5 for reports. Time and chance are arguments."""

from uuid import UUID, uuid5

_REPORTS = UUID("6d1f5bb0-6d3e-5b7c-9a43-70d6b1a3b4f1")  # the namespace of our reports' ids, ours for ever


def message_id(now_ms: int, chance: bytes) -> str:
    """Return a UUIDv7 (RFC 9562 §5.7) for Unix time in milliseconds and 10 octets of chance."""
    value = now_ms << 80 | int.from_bytes(chance, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def accepted_ms(ident: str) -> int:
    """Return the Unix time in milliseconds that a UUIDv7 was made at."""
    return UUID(ident).int >> 80


def report_id(ident: str, n: int, occasion: str) -> str:
    """Return the id of the DSN about delivery `<ident>.<n>` on that occasion: the same for a repeat."""
    return str(uuid5(_REPORTS, f"{ident}.{n}.{occasion}"))
