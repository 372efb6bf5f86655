"""The grammar of SMTP commands: paths, parameters, host names (RFC 5321 §4.1.2). Bytes in, values out.

Not the dialogue: which command may come when is the session's affair. What parameters mean is read in `arguments`.
"""

import re

from paquebot.mail.labels import a_label
from paquebot.mail.reply import Reply

LOCAL_MAX = 64  # RFC 5321 §4.5.3.1.1
DOMAIN_MAX = 255  # §4.5.3.1.2
PATH_MAX = 256  # §4.5.3.1.3, angle brackets included

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LOCAL = rf"{_ATOM}(?:\.{_ATOM})*+|\"(?:[ !#-\[\]-~]|\\[ -~])*+\""
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*+|\[[!-Z^-~]++\]"
_MAILBOX = re.compile(rf"({_LOCAL})@({_DOMAIN})")
# RFC 6531 §3.3: the same with UTF-8, controls and separators of lines left out; IDNA judges the domain.
_BEYOND = "\u00a0-\u2027\u202a-\U0010ffff"
_UTF8_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_BEYOND}-]++"
_UTF8_LOCAL = rf"{_UTF8_ATOM}(?:\.{_UTF8_ATOM})*+|\"(?:[ !#-\[\]-~{_BEYOND}]|\\[ -~])*+\""
_UTF8_MAILBOX = re.compile(rf"({_UTF8_LOCAL})@([A-Za-z0-9_.{_BEYOND}-]++|\[[!-Z^-~]++\])")
# A space after the colon is not in the grammar, and many programs send it.
_ARGUMENT = re.compile(rb'(FROM|TO): ?<((?:"(?:[^"\\]|\\.)*+"|[^"<>])*+)>(?: +(.*))?', re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(rf"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~{_BEYOND}]+))?")
_HELLO_NAME = re.compile(rb"[!-~]{1,255}")

_NOT_ASCII = Reply(553, "5.6.7", "An address beyond ASCII needs MAIL with SMTPUTF8 (RFC 6531)")


class CommandRefused(Exception):  # noqa: N818  (the client's fault, and an answer)
    """A command the session refuses by itself; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def hello_name(argument: bytes) -> str:
    """Read the name after EHLO or HELO: anything printable, because clients rarely know their name."""
    if not _HELLO_NAME.fullmatch(argument):
        raise CommandRefused(Reply(501, "5.5.4", "A host name or address literal must follow"))
    return argument.decode("ascii")


def is_mailbox(text: str) -> bool:
    """Say whether a text is a mailbox that fits between angle brackets of MAIL and RCPT."""
    match = _MAILBOX.fullmatch(text)
    return match is not None and _fits(match[1], match[2])


def is_utf8_mailbox(text: str) -> bool:
    """Say whether a text is a mailbox that fits there when SMTPUTF8 is said: its domain in A-labels already."""
    match = _UTF8_MAILBOX.fullmatch(text)
    return match is not None and _fits(match[1], match[2]) and re.fullmatch(_DOMAIN, match[2]) is not None


def path_and_parameters(argument: bytes, keyword: bytes) -> tuple[bytes, bytes]:
    """Cut `FROM:<path> parameters` in two; raises CommandRefused."""
    match = _ARGUMENT.fullmatch(argument)
    if match is None or match[1].upper() != keyword:
        raise CommandRefused(Reply(501, "5.5.4", f"Syntax: {keyword.decode()}:<address>"))
    return match[2], (match[3] or b"").strip(b" ")


def mailbox(path: bytes, enhanced: str) -> str:
    """Return a path's mailbox with its domain in lower case; raises CommandRefused.

    Source routes (§4.1.1.3) are not served.
    """
    if not path.isascii():
        raise CommandRefused(_NOT_ASCII)
    match = _MAILBOX.fullmatch(path.decode("ascii"))
    if match is None:
        raise CommandRefused(Reply(501, enhanced, "That is not a mailbox: local-part@domain"))
    return _fitting(match[1], match[2].lower(), enhanced)


def utf8_mailbox(path: bytes, enhanced: str) -> str:
    """Return a path's mailbox where SMTPUTF8 was said: its domain in A-labels; raises CommandRefused."""
    if path.isascii():
        return mailbox(path, enhanced)
    try:
        match = _UTF8_MAILBOX.fullmatch(path.decode())
        domain = a_label(match[2]) if match else ""
    except ValueError as fault:  # not UTF-8, or no domain in the sense of IDNA
        raise CommandRefused(Reply(501, enhanced, f"That is not a mailbox: {fault}")) from fault
    if match is None or not re.fullmatch(_DOMAIN, domain):
        raise CommandRefused(Reply(501, enhanced, "That is not a mailbox: local-part@domain"))
    return _fitting(match[1], domain, enhanced)


def _fitting(local: str, domain: str, enhanced: str) -> str:
    if not _fits(local, domain):
        raise CommandRefused(Reply(501, enhanced, "The address is too long"))
    return f"{local}@{domain}"


def _fits(local: str, domain: str) -> bool:
    """Say whether a mailbox keeps the limits, which are octets."""
    size = len(local if local.isascii() else local.encode())
    return size <= LOCAL_MAX and len(domain) <= DOMAIN_MAX and size + len(domain) + 3 <= PATH_MAX


def parameters(octets: bytes) -> dict[str, str]:
    """Read `KEY=value KEY`; keys come back in capitals. Raises CommandRefused."""
    given: dict[str, str] = {}
    try:
        words = octets.decode().split(" ")
    except UnicodeDecodeError as fault:
        raise CommandRefused(Reply(501, "5.5.4", "Parameters are ASCII, or UTF-8")) from fault
    for word in filter(None, words):
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in given:
            raise CommandRefused(Reply(501, "5.5.4", "A parameter cannot be read, or stands twice"))
        given[match[1].upper()] = match[2] or ""
    return given
