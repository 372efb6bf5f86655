"""Rules over who a message says it is from: forged, look-alike, borrowed names."""

import re

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.lookalike import (
    carries_name,
    imitates,
    mixes_scripts,
    organisation,
    same_organisation,
)
from paquebot.spamfilter.names import FREE_MAIL_DOMAINS, WELL_KNOWN_DOMAINS, WELL_KNOWN_WORDS

_ADDRESS_INSIDE = re.compile(r"[^\s<>\"'@,;:()\[\]]{1,64}@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_WORDS = re.compile(r"[^\W\d_]+")


def display_address(facts: Facts) -> Reason | None:
    """Speak when From's display name is an address elsewhere: many readers show nothing else."""
    if facts.author is None or "@" not in facts.author.display:
        return None
    shown = _ADDRESS_INSIDE.search(facts.author.display)
    if shown is None or same_organisation(shown[1].lower(), facts.author.domain):
        return None
    return Reason("display_address", 3.0, "The name in From shows an address that From does not have.")


def display_well_known(facts: Facts) -> Reason | None:
    """Speak when From's display name borrows a well-known name whose domain it is not in."""
    if facts.author is None or not facts.author.display:
        return None
    domain = facts.author.domain
    for word in _WORDS.findall(facts.author.display.lower()):
        if word in WELL_KNOWN_WORDS and word not in domain:
            if domain in FREE_MAIL_DOMAINS:
                return Reason("display_well_known", 2.5, f"From calls itself {word} and is a free mailbox.")
            return Reason("display_well_known", 1.2, f"From calls itself {word} and is of another domain.")
    return None


def author_domain_imitates(facts: Facts) -> Reason | None:
    """Speak when the domain of From looks like a well-known one, or one of the tenant's own."""
    domain = facts.author_domain
    imitated = imitates(domain, facts.own_domains)
    if imitated:
        return Reason("author_domain_imitates", 4.5, f"The domain of From looks like {imitated} and is not.")
    if carries_name(domain):
        return Reason("author_domain_imitates", 3.5, "The domain of From begins with the name of another.")
    if mixes_scripts(domain):
        return Reason("author_domain_imitates", 3.5, "The domain of From mixes letters of different scripts.")
    return None


def reply_to_elsewhere(facts: Facts) -> Reason | None:
    """Speak when answers go to another organisation, most of all to a free mailbox."""
    if facts.reply_to is None or facts.author is None:
        return None
    domain = facts.reply_to.domain
    if same_organisation(domain, facts.author.domain):
        return None
    if imitates(domain, facts.own_domains):
        return Reason("reply_to_elsewhere", 3.0, "Answers go to a domain that looks like another.")
    if domain in FREE_MAIL_DOMAINS and facts.author.domain not in FREE_MAIL_DOMAINS:
        return Reason("reply_to_elsewhere", 1.5, "Answers go to a free mailbox although From is none.")
    return Reason("reply_to_elsewhere", 0.3, "Answers go to another domain.")


def author_not_envelope(facts: Facts) -> Reason | None:
    """Speak when From and the reverse-path are of different organisations, as DMARC will."""
    domain = facts.envelope.reverse_path.rpartition("@")[2].lower()
    if not domain or not facts.author_domain or same_organisation(domain, facts.author_domain):
        return None
    if organisation(facts.author_domain) in WELL_KNOWN_DOMAINS - FREE_MAIL_DOMAINS:
        return Reason("author_not_envelope", 2.5, "From names a well-known domain, the reverse-path another.")
    return Reason("author_not_envelope", 0.5, "From and the reverse-path are of different domains.")
