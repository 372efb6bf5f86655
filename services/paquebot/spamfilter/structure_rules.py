"""Rules over structure: what RFC 5322, 2045 and 2047 ask for and composing programs of honest mail do."""

import re

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.facts import Facts

# https://spamassassin.apache.org/gtube/: everybody's test for "this must be refused".
_GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
CERTAIN = 1_000.0  # log-odds that no other weight can balance
_FAULTS_MAX = 3

_DATE = re.compile(
    rb"\s*(?:[A-Za-z]{3},)?\s*\d{1,2}\s+[A-Za-z]{3}\s+\d{2,4}\s+\d{1,2}:\d\d(?::\d\d)?\s*"
    rb"(?:[+-]\d{4}|[A-Za-z]{1,5})?\s*(?:\([^()]*\)\s*)?"
)
_MESSAGE_ID = re.compile(rb"\s*<[^<>@\s]+@[^<>@\s]+>\s*(?:\([^()]*\)\s*)?")
_BLANK_FOLD = re.compile(rb"\r\n[ \t]+\r\n")
_ONCE = (b"mime-version", b"content-type", b"content-transfer-encoding")
_RAW_SEVEN_BIT = frozenset({"7bit"})


def gtube(facts: Facts) -> Reason | None:
    """Speak when the test string stands in the message."""
    if _GTUBE in facts.content or any(_GTUBE.lower() in text.lowered for text in facts.texts):
        return Reason("gtube", CERTAIN, "It holds the test string for unwanted mail (GTUBE).")
    return None


def mime_faults(facts: Facts) -> Reason | None:
    """Speak when the MIME structure is broken; each fault counts, up to three."""
    if not facts.mime_faults:
        return None
    weight = 0.8 * min(len(facts.mime_faults), _FAULTS_MAX)
    return Reason("mime_faults", weight, f"Its MIME structure is broken. {facts.mime_faults[0]}")


def repeated_mime_field(facts: Facts) -> Reason | None:
    """Speak when a MIME field has two values: readers differ about what the message is."""
    for name in _ONCE:
        values = facts.fields.get(name, ())
        if len(values) > 1 and len({value.strip().lower() for value in values}) > 1:
            return Reason("repeated_mime_field", 1.5, f"{name.decode().title()} is there twice, with two values.")
    return None


def malformed_date(facts: Facts) -> Reason | None:
    """Speak when Date cannot be read (RFC 5322 §3.3, with the obsolete zones)."""
    dates = facts.fields.get(b"date")
    if dates and not _DATE.fullmatch(dates[0]):
        return Reason("malformed_date", 0.8, "Its Date cannot be read.")
    return None


def malformed_message_id(facts: Facts) -> Reason | None:
    """Speak when Message-ID is not `<left@right>` (RFC 5322 §3.6.4)."""
    idents = facts.fields.get(b"message-id")
    if idents and not _MESSAGE_ID.fullmatch(idents[0]):
        return Reason("malformed_message_id", 0.7, "Its Message-ID has not the form <left@right>.")
    return None


def blank_fold(facts: Facts) -> Reason | None:
    """Speak when a fold is nothing but white space: some take it for the end (RFC 5322 §3.2.2)."""
    if _BLANK_FOLD.search(facts.section):
        return Reason("blank_fold", 1.0, "A header field holds a line of nothing but white space.")
    return None


def no_recipient_field(facts: Facts) -> Reason | None:
    """Speak when there is neither To nor Cc: legal, and rare in honest mail."""
    if b"to" in facts.fields or b"cc" in facts.fields:
        return None
    return Reason("no_recipient_field", 0.4, "It names no recipient in To or Cc.")


def no_subject(facts: Facts) -> Reason | None:
    """Speak when there is no Subject, or an empty one."""
    if any(value.strip() for value in facts.fields.get(b"subject", ())):
        return None
    return Reason("no_subject", 0.3, "It has no subject.")


def html_only(facts: Facts) -> Reason | None:
    """Speak when there is HTML without a plain text beside it."""
    if facts.texts and all(text.is_html for text in facts.texts):
        return Reason("html_only", 0.3, "Its text is there as HTML only.")
    return None


def undeclared_mime(facts: Facts) -> Reason | None:
    """Speak when there are MIME fields without MIME-Version (RFC 2045 §4)."""
    if b"content-type" in facts.fields and b"mime-version" not in facts.fields:
        return Reason("undeclared_mime", 0.5, "It uses MIME without MIME-Version.")
    return None


def undeclared_eight_bit(facts: Facts) -> Reason | None:
    """Speak when a part holds octets above 127 and says it has none (RFC 2045 §6.2)."""
    if facts.content.isascii():
        return None
    if any(text.part.encoding in _RAW_SEVEN_BIT and not text.lowered.isascii() for text in facts.texts):
        return Reason("undeclared_eight_bit", 0.5, "It holds 8-bit text that is declared as 7-bit.")
    return None
