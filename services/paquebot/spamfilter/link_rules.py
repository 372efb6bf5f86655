"""Rules over links: what they show and where they lead."""

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.lookalike import (
    carries_name,
    imitates,
    mixes_scripts,
    organisation,
    same_organisation,
)
from paquebot.spamfilter.names import WELL_KNOWN_DOMAINS

_QUOTED_MAX = 80


def deceptive_link(facts: Facts) -> Reason | None:
    """Speak when a link shows one host and leads to another.

    Newsletters whose links are counted do so too: with the sender's own name on one of the two sides
    it weighs little, with a well-known one on the shown side much.
    """
    worst: Reason | None = None
    for link in facts.links:
        if not link.shown or same_organisation(link.shown, link.host):
            continue
        text = f"A link shows {_quoted(link.shown)} and leads to {_quoted(link.host)}."
        if same_organisation(link.host, facts.author_domain):
            continue
        if organisation(link.shown) in WELL_KNOWN_DOMAINS:
            return Reason("deceptive_link", 3.0, text)
        weight = 0.5 if same_organisation(link.shown, facts.author_domain) else 1.2
        if worst is None or weight > worst.weight:
            worst = Reason("deceptive_link", weight, text)
    return worst


def link_host_imitates(facts: Facts) -> Reason | None:
    """Speak when a link's host looks like a well-known domain or one of the tenant's own."""
    for link in facts.links:
        if imitates(link.host, facts.own_domains) or carries_name(link.host) or mixes_scripts(link.host):
            return Reason("link_host_imitates", 3.5, f"A link leads to {_quoted(link.host)}, which looks like another.")
    return None


def numeric_link(facts: Facts) -> Reason | None:
    """Speak when a link leads to an address instead of a name."""
    if any(link.is_numeric for link in facts.links):
        return Reason("numeric_link", 1.5, "A link leads to a numeric address.")
    return None


def link_with_user(facts: Facts) -> Reason | None:
    """Speak when a link carries a user name that looks like its host."""
    if any(link.has_user for link in facts.links):
        return Reason("link_with_user", 2.0, "A link hides its host behind a user name.")
    return None


def script_link(facts: Facts) -> Reason | None:
    """Speak when a link runs a script or holds a page."""
    if any(link.scheme != "https" for link in facts.links):
        return Reason("script_link", 2.5, "A link is a script or a whole page instead of an address.")
    return None


def html_form(facts: Facts) -> Reason | None:
    """Speak when the HTML asks for input: it does not go where it seems to."""
    for text in facts.texts:
        if text.is_html and b"<form" in text.lowered:
            if b'type="password"' in text.lowered or b"type=password" in text.lowered:
                return Reason("html_form", 4.0, "Its HTML asks for a password.")
            return Reason("html_form", 0.8, "Its HTML holds a form.")
    return None


def html_script(facts: Facts) -> Reason | None:
    """Speak when the HTML holds a script, which no mail reader runs and a browser does."""
    if any(text.is_html and b"<script" in text.lowered for text in facts.texts):
        return Reason("html_script", 1.5, "Its HTML holds a script.")
    return None


def _quoted(host: str) -> str:
    return host[:_QUOTED_MAX]
