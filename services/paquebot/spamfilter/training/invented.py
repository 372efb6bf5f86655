"""Names that nobody has: brands, hosts, addresses, tokens, drawn by chance so that few come twice.

Recipients live in domains that RFC 2606 keeps for examples, so nothing that is composed can reach a person.
"""

import random
import string
import unicodedata
from collections.abc import Mapping

from paquebot.spamfilter.names import WELL_KNOWN_WORDS
from paquebot.spamfilter.training.place import Place

HEXADECIMAL = "0123456789abcdef"
_OPEN = (
    "al", "ar", "bel", "bri", "cal", "cor", "da", "del", "dor", "el", "fen", "fi", "gal", "gra", "hal", "her", "il",
    "jo", "ka", "kel", "la", "lin", "lo", "lu", "mar", "me", "mi", "mon", "na", "ne", "nor", "o", "or", "pa", "pel",
    "pri", "qua", "ra", "ren", "ro", "sa", "sel", "sol", "sta", "ta", "ter", "ti", "tra", "u", "va", "ve", "vi", "wen",
    "xa", "ya", "za", "zen",
)  # fmt: skip
_CLOSE = (
    "ba", "bis", "cen", "co", "da", "dex", "do", "fin", "go", "la", "len", "lia", "lo", "lux", "ma", "mex", "mo", "na",
    "neo", "nis", "no", "nta", "ra", "ria", "rix", "ro", "sa", "sco", "ta", "tek", "tis", "to", "tra", "va", "via",
    "vo", "xo", "ya", "zo",
)  # fmt: skip
_FORE = (
    "Amber", "Birch", "Blue", "Bright", "Cedar", "Clear", "Copper", "Coral", "East", "Elm", "Ever", "Fern", "First",
    "Fox", "Green", "Harbour", "High", "Iron", "Juniper", "Kite", "Lake", "Lantern", "Maple", "Meadow", "North", "Oak",
    "Open", "Pine", "Prime", "Quill", "River", "Silver", "Sky", "South", "Stone", "Swift", "True", "Union", "Velvet",
    "West", "Wild", "Willow",
)  # fmt: skip
_AFT = (
    "bank", "beam", "bridge", "brook", "cart", "cast", "cloud", "craft", "dale", "desk", "field", "flow", "ford",
    "gate", "grid", "grove", "haven", "hub", "lane", "light", "line", "link", "loft", "mark", "mill", "nest", "pay",
    "peak", "point", "port", "post", "ridge", "root", "shore", "side", "span", "stack", "storm", "thread", "trail",
    "vale", "ware", "way", "works", "yard",
)  # fmt: skip
_SIGNS: Mapping[str, str] = {
    "zh": "安博辰达东方丰富光广海恒宏华汇佳嘉金锦凯康蓝联隆美明南宁鹏启瑞盛顺腾天通万旺祥新鑫信星雅洋永远云泽正智中卓",
    "ja": "青旭朝東栄海北共光興桜三松信新正清泉大竹中東南白富北豊明陽和",
    "ko": "가강건광금나남누다대동라명미보산상새서성세솔수신아영예온우원유윤은이인정제진찬청태평하한해현호",
}
_SIGNS_SHARE = 0.75  # of brands that are written in the language's own signs
_WORDS = (
    "account", "alert", "auth", "billing", "center", "check", "client", "confirm", "customer", "delivery", "help",
    "home", "id", "info", "login", "mail", "my", "notice", "online", "order", "pay", "portal", "secure", "service",
    "support", "track", "update", "verify", "web",
)  # fmt: skip
_ALIKE = {"o": "0", "l": "1", "i": "l", "e": "3", "a": "4", "s": "5", "m": "rn", "w": "vv", "g": "q"}
_CHEAP = ("com", "net", "info", "top", "xyz", "online", "site", "shop", "club", "live", "org", "co", "click", "icu")
_TIDY = (".example", ".test", ".example", ".invalid", ".example")


def brand(rng: random.Random, place: Place) -> str:
    """Return the name of a company, in the language's own signs where it has such."""
    signs = _SIGNS.get(place.language)
    if signs and rng.random() < _SIGNS_SHARE:
        return "".join(rng.choice(signs) for _ in range(rng.choice((2, 2, 3))))
    name = latin(rng)
    while name.lower() in WELL_KNOWN_WORDS:
        name = latin(rng)
    return name


def latin(rng: random.Random) -> str:
    """Return a name in Latin letters: syllables, or two words in one."""
    shape = rng.random()
    if shape < 0.3:  # noqa: PLR2004
        return rng.choice(_FORE) + rng.choice(_AFT)
    if shape < 0.4:  # noqa: PLR2004
        return f"{rng.choice(_FORE)} {rng.choice(_AFT).title()}"
    syllables = [rng.choice(_OPEN) for _ in range(rng.choice((1, 1, 2)))]
    return ("".join(syllables) + rng.choice(_CLOSE)).title()


def slug(text: str, rng: random.Random) -> str:
    """Return a text as a label of a domain; one that has no Latin letters gets an invented one."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    label = "".join(letter for letter in plain if letter.isalnum() or letter in " -").strip()
    return label.replace(" ", rng.choice(("", "", "-"))) or latin(rng).lower().replace(" ", "")


def domain(rng: random.Random, place: Place, name: str) -> str:
    """Return the domain of a company or a person of that name."""
    return f"{slug(name, rng)}.{rng.choice(place.domains)}"


def recipient_domain(rng: random.Random) -> str:
    """Return a domain that is kept for examples (RFC 2606): mail to it goes nowhere."""
    return latin(rng).lower().replace(" ", "-") + rng.choice(_TIDY)


def stranger(rng: random.Random, place: Place) -> str:
    """Return a host of somebody else: an honest site that was entered, or a throw-away name."""
    name = latin(rng).lower().replace(" ", "")
    if rng.random() < 0.5:  # noqa: PLR2004
        return rng.choice(("", "", "www.", "mail.", "cdn.")) + f"{name}.{rng.choice((*place.domains, *_CHEAP))}"
    label = rng.choice((name, f"{name}-{rng.choice(_WORDS)}", f"{name}{number(rng, 3)}", token(rng, 12, HEXADECIMAL)))
    return f"{label}.{rng.choice(_CHEAP)}"


def lookalike(rng: random.Random, own: str) -> str:
    """Return a host that resembles an invented one: its name with words beside it, or letters changed."""
    name = own.partition(".")[0]
    changed = [at for at, letter in enumerate(name) if letter in _ALIKE]
    if changed and rng.random() < 0.35:  # noqa: PLR2004
        at = rng.choice(changed)
        return f"{name[:at]}{_ALIKE[name[at]]}{name[at + 1 :]}.{rng.choice(_CHEAP)}"
    word = rng.choice(_WORDS)
    shapes = (f"{name}-{word}", f"{word}-{name}", f"{name}{word}", f"{word}.{name}-{rng.choice(_WORDS)}", f"my-{name}")
    return f"{rng.choice(shapes)}.{rng.choice(_CHEAP)}"


def numeric(rng: random.Random) -> str:
    """Return an IPv4 address of the networks kept for documentation (RFC 5737)."""
    return rng.choice(("192.0.2.", "198.51.100.", "203.0.113.")) + str(rng.randint(1, 254))


def token(rng: random.Random, length: int, letters: str = string.ascii_letters + string.digits) -> str:
    """Return that many letters by chance."""
    return "".join(rng.choices(letters, k=length))


def number(rng: random.Random, digits: int) -> str:
    """Return a number of that many digits, the first of them not 0."""
    return str(rng.randint(10 ** (digits - 1), 10**digits - 1))


def pattern(rng: random.Random, text: str) -> str:
    """Return a pattern with digits for `#` and capitals for `@`."""
    return "".join(
        rng.choice(string.digits[1:] if letter == "#" else string.ascii_uppercase) if letter in "#@" else letter
        for letter in text
    )


def price(rng: random.Random) -> float:
    """Return what a thing may cost, small prices more often."""
    return min(rng.lognormvariate(4.2, 1.3), 900_000.0)


def savings(rng: random.Random) -> float:
    """Return a sum that people lend, win or transfer: hundreds to hundreds of thousands, mostly round."""
    value = min(max(rng.lognormvariate(8.5, 1.4), 200.0), 900_000.0)
    return round(value, -2) if rng.random() < 0.8 else value  # noqa: PLR2004


def millions(rng: random.Random) -> float:
    """Return a fortune."""
    return round(rng.uniform(0.4, 60) * 1e6, rng.choice((-6, -5, -5, -4, -3))) or 1e6


def money(rng: random.Random, place: Place, value: float, shape: str) -> str:
    """Return an amount in the language's form; `shape` has places for `{amount}` and has its currency."""
    if not place.decimal:  # currencies that have no cents
        value *= 100
    whole, cents = int(value), rng.choice((0, 0, 50, 90, 95, 99, rng.randint(1, 99)))
    if value == whole:
        cents = 0
    grouped = f"{whole:,}".replace(",", place.thousands)
    spelled = f"{grouped}{place.decimal}{cents:02d}" if place.decimal and (cents or rng.randrange(2)) else grouped
    return shape.format(amount=spelled)
