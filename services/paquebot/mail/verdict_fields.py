"""The header fields that tell recipients what the spam filter thought; nothing of the message is in them."""

import re

from paquebot.mail.verdict import Action, Verdict

_RULES_MAX = 20
_WIDTH = 76
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")


def tag_fields(verdict: Verdict) -> bytes:
    """Return the fields for a verdict, each ended by CRLF; none for mail that was looked at and accepted."""
    if verdict.unscanned:
        return b"X-Spam-Status: Unscanned\r\n"
    if verdict.action is Action.ACCEPT:
        return b""
    return b"X-Spam-Flag: YES\r\n" + _status(verdict)


def _status(verdict: Verdict) -> bytes:
    """Return X-Spam-Status, folded between rule names (RFC 5322 §2.2.3)."""
    lines = [f"X-Spam-Status: Yes, probability={verdict.probability:.4f},"]
    names = [_NOT_A_NAME.sub("_", reason.rule)[:40] for reason in verdict.reasons[:_RULES_MAX]]
    for index, name in enumerate(names):
        word = f" rules={name}" if index == 0 else name
        word += "," if index + 1 < len(names) else ""
        if index and len(lines[-1]) + len(word) <= _WIDTH:
            lines[-1] += word
        else:
            lines.append(word if index == 0 else " " + word)
    if not names:
        lines[0] = lines[0].removesuffix(",")
    return ("\r\n".join(lines) + "\r\n").encode("ascii")
