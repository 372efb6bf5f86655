"""What stands after MAIL and RCPT: a path, and parameters of the extensions that were offered. Bytes in, events out."""

import re

from paquebot.mail.envelope import NO_WISH, Wish
from paquebot.mail.reply import Reply
from paquebot.smtp import dsn
from paquebot.smtp.events import MailFrom, RcptTo
from paquebot.smtp.grammar import CommandRefused, mailbox, parameters, path_and_parameters, utf8_mailbox

# The EHLO keyword that makes a parameter known. AUTH= must be accepted wherever EHLO was said (RFC 4954 §5).
_OF_MAIL = {"SIZE": "SIZE", "BODY": "8BITMIME", "AUTH": "AUTH", "RET": "DSN", "ENVID": "DSN", "SMTPUTF8": "SMTPUTF8"}
_OF_RCPT = {"NOTIFY": "DSN", "ORCPT": "DSN"}
# RFC 8689 §2 wants every hop to be held to it; who asks must not think that we do. RFC 3463 §3.8: 5.7.4.
_NO_REQUIRETLS = Reply(555, "5.7.4", "REQUIRETLS is not built: mail could go on without TLS. Send it without, or not")
_SIZE = re.compile(r"\d{1,20}")


def mail_from(argument: bytes, offered: frozenset[str]) -> MailFrom:
    """Read `FROM:<path> SIZE= BODY= AUTH= RET= ENVID= SMTPUTF8`; raises CommandRefused."""
    path, octets = path_and_parameters(argument, b"FROM")
    given = _known(parameters(octets), _OF_MAIL, offered) if octets else {}
    utf8 = "SMTPUTF8" in given
    read = utf8_mailbox if utf8 else mailbox
    sender = "" if path == b"" else read(path, "5.1.7")
    if not given:
        return MailFrom(sender, None, eight_bit=False)
    if given.get("SMTPUTF8"):
        raise CommandRefused(Reply(501, "5.5.4", "SMTPUTF8 takes no value"))
    body = given.get("BODY", "7BIT").upper()
    if body not in {"7BIT", "8BITMIME"}:
        raise CommandRefused(_not_served(f"BODY={body}"))
    # Whom a client names in AUTH= is not believed.
    if "AUTH" in given and not dsn.is_xtext(given["AUTH"], utf8=utf8):
        raise CommandRefused(Reply(501, "5.5.4", "AUTH wants a mailbox as xtext, or <>"))
    return MailFrom(
        sender,
        _size(given["SIZE"]) if "SIZE" in given else None,
        eight_bit=body == "8BITMIME",
        envelope_id=dsn.read_envid(given["ENVID"]) if "ENVID" in given else "",
        ret=dsn.read_ret(given["RET"]) if "RET" in given else "",
        utf8=utf8,
    )


def rcpt_to(argument: bytes, hostname: str, offered: frozenset[str], *, utf8: bool) -> RcptTo:
    """Read `TO:<path> NOTIFY= ORCPT=`; `utf8`: MAIL came with SMTPUTF8. Raises CommandRefused.

    `<Postmaster>` is ours (RFC 5321 §4.1.1.3).
    """
    path, octets = path_and_parameters(argument, b"TO")
    if not (utf8 or octets.isascii()):
        raise CommandRefused(Reply(501, "5.5.4", "A parameter beyond ASCII needs MAIL with SMTPUTF8"))
    wish = _wish(_known(parameters(octets), _OF_RCPT, offered)) if octets else NO_WISH
    if path.lower() == b"postmaster":
        return RcptTo(f"postmaster@{hostname}", wish)
    return RcptTo((utf8_mailbox if utf8 else mailbox)(path, "5.1.3"), wish)


def _known(given: dict[str, str], known: dict[str, str], offered: frozenset[str]) -> dict[str, str]:
    if "REQUIRETLS" in given:
        raise CommandRefused(_NO_REQUIRETLS)
    for name in given:
        if known.get(name) not in offered:
            raise CommandRefused(_not_served(name))
    return given


def _not_served(what: str) -> Reply:
    return Reply(555, "5.5.4", f"{what} is not known here, or not served")


def _size(value: str) -> int:
    if not _SIZE.fullmatch(value):
        raise CommandRefused(Reply(501, "5.5.4", "SIZE wants a number of octets"))
    return int(value)


def _wish(given: dict[str, str]) -> Wish:
    return Wish(
        dsn.read_notify(given["NOTIFY"]) if "NOTIFY" in given else (),
        dsn.read_orcpt(given["ORCPT"]) if "ORCPT" in given else "",
    )
