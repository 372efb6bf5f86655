"""Addresses in header fields (RFC 5322 §3.4), read strictly enough that nobody reads another mailbox.

Display names may hold what grammar forbids, because real mail does (`J. Doe [Sales] <j@example.com>`).
Whatever could name a different mailbox to another reader is a fault. Never raises.
"""

import re
from dataclasses import dataclass

from paquebot.mail.header import decode_words, unfold
from paquebot.mail.labels import a_labelled

MAILBOXES_MAX = 5_000
_COMMENT_DEPTH_MAX = 20

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_ADDRESS = rf"{_ATOM}+(?:\.{_ATOM}+)*@[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
# What nearly all mail holds: one mailbox, with a plain, quoted or no display name.
_COMMON = re.compile(
    rf"[ \t]*+(?:(?:\"([^\"\\\r\n]*+)\"[ \t]*+|([^\"\\(),:;<>@\r\n]*+))<({_ADDRESS})>"
    rf"|({_ADDRESS}))[ \t]*+".encode()
)
_TOKEN = re.compile(
    rb"(?P<space>[ \t\r\n]+)"
    rb"|(?P<quoted>\"(?:[^\"\\]|\\.)*+\")"
    rb"|(?P<literal>\[[^\[\]\\]*+\])"
    rb"|(?P<special>[(),:;<>@.\"\\\[\]])"
    rb"|(?P<atom>[^ \t\r\n(),:;<>@.\"\\\[\]]+)",
    re.DOTALL,
)
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[!-Z^-~]+\]")
# With UTF-8 (RFC 6532 §3.2), controls and separators of lines left out; IDNA judges the domain.
_BEYOND = "\u00a0-\u2027\u202a-\U0010ffff"
_UTF8_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_BEYOND}-]"
_LOCAL = re.compile(rf"{_UTF8_ATOM}+(?:\.{_UTF8_ATOM}+)*|\"(?:[^\"\\\r\n\x80-\x9f\u2028\u2029]|\\[ -~])*\"")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)

_Token = tuple[str, bytes]
_AT: _Token = ("special", b"@")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox: its display name decoded, its domain in lower-case A-labels, the group it stood in."""

    display: str
    address: str
    group: str = ""

    @property
    def domain(self) -> str:
        """What follows the last @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class AddressList:
    """The mailboxes of a field, and in sentences what in it could not be read, or be read in two ways."""

    mailboxes: tuple[Mailbox, ...]
    faults: tuple[str, ...] = ()


def addresses(value: bytes) -> AddressList:
    """Read the value of From, Sender, To and the like, folded or not."""
    common = _COMMON.fullmatch(unfold(value))
    if common is not None:
        address = common[3] or common[4]
        return AddressList((Mailbox(decode_words(common[1] or common[2] or b""), _lowered(address.decode())),))
    reader = _Reader()
    for token in _tokens(value, reader.faults):
        reader.take(token)
    reader.end()
    return AddressList(tuple(reader.mailboxes), tuple(dict.fromkeys(reader.faults)))


def _tokens(value: bytes, faults: list[str]) -> list[_Token]:
    """Cut a value into tokens; comments (RFC 5322 §3.2.2) become white space."""
    tokens: list[_Token] = []
    depth = 0
    end = 0
    while end < len(value):
        if depth and value[end] == ord("\\"):
            end += 2  # a quoted pair inside a comment
            continue
        if depth and value[end] not in b"()":
            end += 1
            continue
        match = _TOKEN.match(value, end)
        assert match is not None  # noqa: S101  (the alternatives cover every octet)
        end = match.end()
        kind, octets = str(match.lastgroup), match[0]
        if octets == b"(":
            depth += 1
            tokens.append(("space", b" "))
        elif octets == b")" and depth:
            depth -= 1
        elif octets == b'"':
            faults.append("A quoted string is not closed.")
            return tokens
        elif not depth:
            tokens.append((kind, octets))
        if depth > _COMMENT_DEPTH_MAX:
            faults.append("Comments are nested too deeply.")
            return tokens
    if depth:
        faults.append("A comment is not closed.")
    return tokens


class _Reader:
    """Reads tokens of an address list. State: the words before `<`, what stands inside, the open group."""

    def __init__(self) -> None:
        self.mailboxes: list[Mailbox] = []
        self.faults: list[str] = []
        self._words: list[_Token] = []
        self._angle: list[_Token] | None = None
        self._angle_open = False
        self._group = ""
        self._in_group = False

    def take(self, token: _Token) -> None:
        """Move by one token."""
        kind, octets = token
        if self._angle_open and octets != b">":
            self._inside(token)
        elif kind != "special":
            if self._angle is not None and kind != "space":
                self.faults.append("Text follows an address in angle brackets.")
            self._words.append(token)
        elif octets in b",;:<>":
            self._delimit(octets)
        else:
            self._words.append(token)

    def end(self) -> None:
        """Close what is open at the end of the value."""
        if self._angle_open:
            self.faults.append("An angle bracket is not closed.")
            return
        self._finish_mailbox()
        if self._in_group:
            self.faults.append("A group is not closed.")

    def _inside(self, token: _Token) -> None:
        if token[1] == b"<":
            self.faults.append("Angle brackets are nested.")
        elif self._angle is not None:
            self._angle.append(token)

    def _delimit(self, octets: bytes) -> None:
        if octets == b"<":
            if self._angle is not None:
                self.faults.append("Two addresses stand without a comma.")
            self._angle, self._angle_open = [], True
        elif octets == b">":
            if not self._angle_open:
                self.faults.append("An angle bracket closes nothing.")
            self._angle_open = False
        elif octets == b",":
            self._finish_mailbox()
        elif octets == b":":
            self._open_group()
        else:
            self._close_group()

    def _open_group(self) -> None:
        if self._in_group or self._angle is not None:
            self.faults.append("A colon stands outside a group's name.")
        self._group, self._in_group = _phrase(self._words), True
        self._words = []

    def _close_group(self) -> None:
        if not self._in_group:
            self.faults.append("A semicolon closes no group.")
        self._finish_mailbox()
        self._group, self._in_group = "", False

    def _finish_mailbox(self) -> None:
        words, angle = self._words, self._angle
        self._words, self._angle = [], None
        if angle is None and all(kind == "space" for kind, _ in words):
            return  # an empty element, RFC 5322 §4.4 obs-addr-list
        address = _address(words if angle is None else angle)
        if not address and angle is None and _AT not in words:
            self.faults.append("A name stands without an address (a comma in a name needs quotes).")
        elif not address:
            self.faults.append("An address cannot be read.")
        elif len(self.mailboxes) >= MAILBOXES_MAX:
            self.faults.append("There are too many addresses.")
        else:
            display = "" if angle is None else _phrase(words)
            self.mailboxes.append(Mailbox(display, address, self._group))


def _address(tokens: list[_Token]) -> str:
    """Return `local@domain` with white space around its parts taken out, or "" for none."""
    if _words_touch_space(tokens):
        return ""
    return _checked([token for token in tokens if token[0] != "space"])


def _words_touch_space(tokens: list[_Token]) -> bool:
    """Say whether two words stand apart with only white space between: no address then."""
    last = ""
    spaced = False
    for kind, _ in tokens:
        if kind == "space":
            spaced = True
            continue
        if spaced and last in {"atom", "quoted"} and kind in {"atom", "quoted"}:
            return True
        last, spaced = kind, False
    return False


def _checked(kept: list[_Token]) -> str:
    text = b"".join(octets for _, octets in kept)
    try:
        local, at, domain = a_labelled(text.decode()).rpartition("@")
    except ValueError:  # not UTF-8, or no domain in the sense of IDNA
        return ""
    return f"{local}@{domain}" if at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain) else ""


def _lowered(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _phrase(tokens: list[_Token]) -> str:
    pieces = [
        _ESCAPED.sub(rb"\1", octets[1:-1]) if kind == "quoted" else b" " if kind == "space" else octets
        for kind, octets in tokens
    ]
    return decode_words(b"".join(pieces))
