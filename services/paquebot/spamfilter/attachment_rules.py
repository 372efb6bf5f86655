"""Rules over attachments: by their octets first, by their names only where octets say nothing."""

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.attachment import Kind
from paquebot.spamfilter.facts import Facts

_BY_KIND = {
    Kind.PROGRAM: Reason("executable_attachment", 8.0, "An attachment is a program, whatever its name says."),
    Kind.SHORTCUT: Reason("executable_attachment", 8.0, "An attachment is a shortcut that starts a program."),
    Kind.ARCHIVE_OF_PROGRAM: Reason("executable_attachment", 7.5, "An attached archive holds a program."),
    Kind.MACROS: Reason("executable_attachment", 3.0, "An attached document holds macros."),
    Kind.SCRIPT: Reason("executable_attachment", 1.5, "An attachment is a script."),
    Kind.ENCRYPTED_ARCHIVE: Reason("executable_attachment", 1.0, "An attached archive is encrypted."),
}


def executable_attachment(facts: Facts) -> Reason | None:
    """Speak of the worst of what the attachments are."""
    found = [reason for each in facts.attachments if (reason := _BY_KIND.get(each.kind)) is not None]
    return max(found, key=lambda reason: reason.weight) if found else None


def runnable_name(facts: Facts) -> Reason | None:
    """Speak when a desktop would run a file of that name."""
    for each in facts.attachments:
        if each.has_turned_name:
            return Reason("runnable_name", 4.0, "An attachment's name turns its reading direction.")
        if each.has_double_extension:
            return Reason("runnable_name", 5.0, "An attachment's name hides a program behind a document.")
    if any(each.has_runnable_name for each in facts.attachments):
        return Reason("runnable_name", 2.5, "An attachment's name is one that is run when opened.")
    return None


def html_attachment(facts: Facts) -> Reason | None:
    """HTML as an attachment that carries a script or a form: a page that needs no host."""
    for text in facts.texts:
        if text.is_html and text.part.disposition == "attachment" and _is_active(text.lowered):
            return Reason("html_attachment", 3.0, "An attached page holds a script or a form.")
    return None


def _is_active(lowered: bytes) -> bool:
    return b"<script" in lowered or b"<form" in lowered
