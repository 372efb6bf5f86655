"""What is said about reports with MAIL and RCPT, read and written (RFC 3461 §4, RFC 6533 §3).

Values inside are decoded: an ENVID is printable ASCII, an original recipient is `type;address`. Reading raises
CommandRefused; writing lets nothing through that could become another parameter or command.
"""

import re
from collections.abc import Mapping

from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.reply import Reply
from paquebot.smtp.grammar import CommandRefused

ENVID_MAX = 100  # RFC 3461 §4.4, as xtext
ORCPT_MAX = 500  # §4.2, as xtext
RETURNS = frozenset({"FULL", "HDRS"})
_NEVER = ("NEVER",)
_NOTIFIES = frozenset({"SUCCESS", "FAILURE", "DELAY"})

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")  # RFC 3461 §4
_XTEXT_PAIR = re.compile(r"\+([0-9A-F]{2})")
_NOT_XTEXT = re.compile(r"[^!-*,-<>-~]")
_UNITEXT = re.compile(r"(?:[!-*,-<>-\[\]-~]|[^\x00-\x9f]|\\x\{[0-9A-Fa-f]{2,6}\})+")  # RFC 6533 §3
_UNITEXT_POINT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_NOT_UXTEXT = re.compile(r"[^!-*,-<>-\[\]-~]")
_PRINTABLE = re.compile(r"[ -~]+")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_UTF8_TYPE = "utf-8"


def is_xtext(text: str, *, utf8: bool = False) -> bool:
    """Say whether a text is what RFC 3461 §4 calls xtext, and not empty; with UTF-8 what RFC 6533 §3 calls unitext."""
    return _XTEXT.fullmatch(text) is not None or (utf8 and _UNITEXT.fullmatch(text) is not None)


def read_ret(value: str) -> str:
    """Read RET: FULL or HDRS."""
    if value.upper() not in RETURNS:
        raise CommandRefused(Reply(501, "5.5.4", "RET wants FULL or HDRS"))
    return value.upper()


def read_envid(value: str) -> str:
    """Read ENVID; return it decoded."""
    decoded = _decoded(value)
    if len(value) > ENVID_MAX or not _PRINTABLE.fullmatch(decoded):
        raise CommandRefused(Reply(501, "5.5.4", f"ENVID wants printable text as xtext, at most {ENVID_MAX} octets"))
    return decoded


def read_notify(value: str) -> tuple[str, ...]:
    """Read NOTIFY: NEVER alone, or some of SUCCESS, FAILURE, DELAY."""
    words = tuple(dict.fromkeys(value.upper().split(",")))
    if words != _NEVER and not set(words) <= _NOTIFIES:
        raise CommandRefused(Reply(501, "5.5.4", "NOTIFY wants NEVER alone, or some of SUCCESS,FAILURE,DELAY"))
    return words


def read_orcpt(value: str) -> str:
    """Read ORCPT; return `type;address` decoded."""
    kind, semicolon, address = value.partition(";")
    utf8 = kind.lower() == _UTF8_TYPE
    decoded = _decoded_unitext(address) if utf8 else _decoded(address)
    if not utf8 and not decoded.isascii():
        # Postfix says rfc822 of an address in UTF-8 as well, its octets as xtext.
        kind, decoded, utf8 = _UTF8_TYPE, _octets_as_utf8(decoded), True
    fits = len(value.encode()) <= ORCPT_MAX and _TYPE.fullmatch(kind)
    if not (semicolon and fits and decoded and (utf8 or _PRINTABLE.fullmatch(decoded))):
        raise CommandRefused(Reply(501, "5.5.4", f"ORCPT wants type;address as xtext, at most {ORCPT_MAX} octets"))
    return f"{kind};{decoded}"


def mail_parameters(ret: str, envelope_id: str) -> str:
    """Write RET and ENVID, each with a space before it; "" for what was not said."""
    envid = _NOT_XTEXT.sub(_plus_hex, envelope_id)
    said = f" RET={ret}" if ret in RETURNS else ""
    return f"{said} ENVID={envid}" if 0 < len(envid) <= ENVID_MAX else said


def rcpt_parameters(wish: Wish) -> str:
    """Write NOTIFY and ORCPT, each with a space before it; "" for what was not said."""
    notify = [word for word in wish.notify if word in _NOTIFIES or word in _NEVER]
    said = f" NOTIFY={','.join(notify)}" if notify else ""
    kind, _, address = wish.orcpt.partition(";")
    # The 7-bit form may be sent to any host that offers DSN (RFC 6533 §3).
    written = _NOT_UXTEXT.sub(_point, address) if kind.lower() == _UTF8_TYPE else _NOT_XTEXT.sub(_plus_hex, address)
    orcpt = f"{kind};{written}"
    return f"{said} ORCPT={orcpt}" if address and _TYPE.fullmatch(kind) and len(orcpt) <= ORCPT_MAX else said


def wishes_fault(envelope: Envelope) -> Reply | None:
    """Say what is wrong with wishes that did not come as parameters: those of gRPC submission."""
    if envelope.ret and envelope.ret not in RETURNS:
        return Reply(501, "5.5.4", "ret is FULL, HDRS or empty")
    envid = mail_parameters("", envelope.envelope_id)
    if envelope.envelope_id and not (envid and _PRINTABLE.fullmatch(envelope.envelope_id)):
        return Reply(501, "5.5.4", f"envelope_id is printable text of at most {ENVID_MAX} octets as xtext")
    if not envelope.wishes.keys() <= set(envelope.recipients):
        return Reply(501, "5.5.4", "A wish names a recipient that the envelope does not")
    return _wish_fault(envelope.wishes)


def _wish_fault(wishes: Mapping[str, Wish]) -> Reply | None:
    for wish in wishes.values():
        try:
            read_notify(",".join(wish.notify or _NEVER))
            if wish.orcpt:
                read_orcpt(rcpt_parameters(Wish((), wish.orcpt)).removeprefix(" ORCPT="))
        except CommandRefused as refused:
            return refused.reply
    return None


def _decoded(text: str) -> str:
    """Decode xtext; "" for what is none."""
    return _XTEXT_PAIR.sub(lambda pair: chr(int(pair[1], 16)), text) if is_xtext(text) else ""


def _octets_as_utf8(octets: str) -> str:
    """Return an address whose UTF-8 octets were read one by one; "" for what is none."""
    try:
        decoded = octets.encode("latin-1").decode()
    except UnicodeDecodeError:
        return ""
    return decoded if _UNITEXT.fullmatch(decoded) else ""


def _decoded_unitext(text: str) -> str:
    """Decode an address in either form of RFC 6533 §3; "" for what is none."""
    if not _UNITEXT.fullmatch(text):
        return ""
    points = [int(point, 16) for point in _UNITEXT_POINT.findall(text)]
    if any(point <= 0x20 or 0x7F <= point < 0xA0 or 0xD800 <= point < 0xE000 or point > 0x10FFFF for point in points):  # noqa: PLR2004  (controls, surrogates, beyond Unicode)
        return ""
    return _UNITEXT_POINT.sub(lambda point: chr(int(point[1], 16)), text)


def _plus_hex(found: re.Match[str]) -> str:
    return "".join(f"+{octet:02X}" for octet in found[0].encode())


def _point(found: re.Match[str]) -> str:
    return f"\\x{{{ord(found[0]):02X}}}"
