"""Domains that look like others: confusable letters, mixed scripts, well-known names in front.

A domain is compared by its skeleton: punycode decoded, look-alike letters folded to one of them.
"""

import unicodedata
from functools import lru_cache

from paquebot.spamfilter.names import WELL_KNOWN_DOMAINS

_LABEL_MAX = 63
_HOST_MAX = 253
_SHORT = 5  # an ASCII label shorter than this may look like another by chance

# Letters of other scripts that read as a Latin one in common fonts.
LATIN_READING = {
    **dict(zip("авеікмнорстухѕјԁԛԝһӏ", "abeikmhopctyxsjdqwhl", strict=True)),
    **dict(zip("αβγεικνορτυχω", "abyeiknoptuxw", strict=True)),
    **dict(zip("ıɩɡɑ", "iiga", strict=True)),  # noqa: RUF001  (to be ambiguous is what they are here for)
}
# i, l and 1 are one letter here, as are 0 and o, 5 and s: which of them is meant, the eye cannot say.
_SAME_LETTER = {"i": "l", "1": "l", "0": "o", "5": "s"}
_FOLDED = str.maketrans(
    {letter: _SAME_LETTER.get(reading, reading) for letter, reading in LATIN_READING.items()} | _SAME_LETTER
)

_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gouv", "gov", "ne", "net", "or", "org"})


def organisation(host: str) -> str:
    """Return the part of a host name that one organisation registered, by a rule of thumb.

    It is the last two labels, or three below `co.uk` and its like. The public suffix list would know
    more; here a wrong guess only makes two hosts look alike or apart, with a small weight.
    """
    labels = host.rsplit(".", 3)
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:  # noqa: PLR2004  (country code)
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def same_organisation(one: str, other: str) -> bool:
    """Say whether two host names belong together."""
    return one == other or organisation(one) == organisation(other)


@lru_cache(maxsize=8192)
def imitates(host: str, own: frozenset[str]) -> str:
    """Return the domain, well known or of the tenant's `own`, that a host only looks like; "" for none."""
    if not host or len(host) > _HOST_MAX:
        return ""
    domain = organisation(host)
    if domain in WELL_KNOWN_DOMAINS or domain in own:
        return ""
    label = domain.partition(".")[0]
    if len(label) < _SHORT and label.isascii():
        return ""
    found = _SKELETONS.get(skeleton(label), "") or _own_skeletons(own).get(skeleton(label), "")
    # The same label below another top-level domain is mostly the same organisation.
    return "" if found.partition(".")[0] == label else found


@lru_cache(maxsize=8192)
def carries_name(host: str) -> str:
    """Return a well-known domain that stands in front of another's: `paypal.com.login.example`."""
    own = organisation(host)
    if own in WELL_KNOWN_DOMAINS:
        return ""
    labels = host.removesuffix(own).rstrip(".").split(".")
    for start in range(len(labels) - 1):
        if (name := ".".join(labels[start : start + 2])) in WELL_KNOWN_DOMAINS:
            return name
    return ""


@lru_cache(maxsize=8192)
def mixes_scripts(host: str) -> bool:
    """Say whether one label mixes Latin letters with Cyrillic or Greek ones, as no language does."""
    if host.isascii() and "xn--" not in host:
        return False
    return any(len(_scripts(_decoded(label))) > 1 for label in host[:_HOST_MAX].split("."))


def skeleton(label: str) -> str:
    """Return what a label reads like: equal skeletons look alike."""
    text = unicodedata.normalize("NFKC", _decoded(label)).casefold()
    return text.translate(_FOLDED).replace("rn", "m").replace("vv", "w")


def _decoded(label: str) -> str:
    if not label.startswith("xn--") or len(label) > _LABEL_MAX:
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _scripts(label: str) -> set[str]:
    return {script for letter in label if (script := unicodedata.name(letter, "").partition(" ")[0]) in _CONFUSED}


_CONFUSED = frozenset({"LATIN", "CYRILLIC", "GREEK"})


@lru_cache(maxsize=1024)
def _own_skeletons(own: frozenset[str]) -> dict[str, str]:
    return {skeleton(organisation(domain).partition(".")[0]): domain for domain in own}


_SKELETONS = {skeleton(domain.partition(".")[0]): domain for domain in WELL_KNOWN_DOMAINS}
