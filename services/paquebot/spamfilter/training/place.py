"""What is particular to a language: names, towns, money, dates, charsets. Read from `places/<language>.toml`."""

import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

PLACES = Path(__file__).parent / "places"


@dataclass(frozen=True, slots=True)
class Place:
    """A language's stock of words. In patterns `#` is a digit, `@` a capital letter."""

    language: str
    first: tuple[str, ...]  # given names
    last: tuple[str, ...]  # family names
    person: str  # "{first} {last}", or the other way round
    cities: tuple[str, ...]
    countries: tuple[str, ...]
    streets: tuple[str, ...]  # patterns
    roles: tuple[str, ...]
    firms: tuple[str, ...]  # "{name} Ltd"
    products: tuple[str, ...]
    devices: tuple[str, ...]
    apps: tuple[str, ...]
    helpdesks: tuple[str, ...]  # how a department of computers calls itself
    teams: tuple[str, ...]  # "{brand} Support": display names of companies
    accounts: tuple[str, ...]  # how an account is named
    currencies: tuple[str, ...]
    money: tuple[str, ...]  # "{amount} {currency}"
    fortunes: tuple[str, ...]  # millions: "{number} million {currency}"
    decimal: str
    thousands: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    dates: tuple[str, ...]  # "{day} {month} {year}"; {month_number} has two digits, {day_number} too
    times: tuple[str, ...]  # strftime
    phones: tuple[str, ...]
    domains: tuple[str, ...]  # top-level domains, the usual ones more than once
    charsets: tuple[str, ...]  # beside utf-8
    files: tuple[str, ...]  # stems of file names
    stop: tuple[str, ...]  # words by which a footer's link ends a subscription
    wrote: tuple[str, ...]  # "On {date}, {person} wrote:"


@lru_cache(maxsize=64)
def place(language: str) -> Place:
    """Return a language's stock. Raises FileNotFoundError when it has none."""
    table = tomllib.loads((PLACES / f"{language}.toml").read_text("utf-8"))
    told: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    missing = {field.name for field in fields(Place)} - {"language"} - told.keys()
    if missing:
        raise ValueError(f"{language}.toml: {', '.join(sorted(missing))} missing: add what {Place.__name__} describes")
    return Place(language=language, **told)


@lru_cache(maxsize=1)
def languages() -> frozenset[str]:
    """Return the languages that have a stock."""
    return frozenset(path.stem for path in PLACES.glob("*.toml"))
