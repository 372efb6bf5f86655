"""`paquebot dkim`: keys, and the DNS records that belong to them."""

from functools import lru_cache
from pathlib import Path

import click

from paquebot.cli.place import STATE_OPTION, Place
from paquebot.dkim.keys import generate, record, record_strings
from paquebot.policy.values import Policy

RECORDS_MAX = 10_000


@click.group()
def dkim() -> None:
    """Make DKIM keys and show their DNS records."""


@dkim.command()
@click.argument("domain")
@click.argument("selector")
@click.option(
    "--algorithm",
    type=click.Choice(["RSA2048", "Ed25519"]),
    multiple=True,
    default=("RSA2048", "Ed25519"),
    show_default=True,
    help="Repeat for several; receivers differ in what they verify.",
)
@STATE_OPTION
def keygen(domain: str, selector: str, algorithm: tuple[str, ...], place: Place) -> None:
    """Make keys for DOMAIN; selectors are SELECTOR-rsa2048 and SELECTOR-ed25519. Print the records to publish.

    The router signs with the newest key of each algorithm from now on: publish the records first, or keep the
    files aside until they are seen.
    """
    folder = place.dkim / domain.lower()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = [folder / f"{selector}-{name.lower()}.{name}.pem" for name in algorithm]
    for path in paths:
        if path.exists():
            raise click.ClickException(f"{path} exists already: choose another selector, a key is never replaced")
    for path, name in zip(paths, algorithm, strict=True):
        path.touch(mode=0o600)
        path.write_bytes(generate(name))
    for name, value in records(place.dkim, domain.lower()).items():
        click.echo(f"{name}. IN TXT {_quoted(value)}")


@dkim.command()
@click.argument("domain")
@STATE_OPTION
def show(domain: str, place: Place) -> None:
    """Print the DNS records of DOMAIN's keys."""
    found = records(place.dkim, domain.lower())
    if not found:
        raise click.ClickException(f"no keys for {domain} in {place.dkim}: make some with `paquebot dkim keygen`")
    for name, value in found.items():
        click.echo(f"{name}. IN TXT {_quoted(value)}")


def records(folder: Path, domain: str) -> dict[str, str]:
    """Return TXT values by record name, for all keys of a domain."""
    paths = sorted((folder / domain).glob("*.pem"))
    return {f"{path.name.split('.')[0]}._domainkey.{domain}": _record(path, path.stat().st_mtime_ns) for path in paths}


def dkim_records(place: Place, policy: Policy) -> dict[str, str]:
    """Return TXT values by record name, for all domains of a policy."""
    found: dict[str, str] = {}
    for domain in policy.domains:
        found |= records(place.dkim, domain)
    return found


@lru_cache(maxsize=RECORDS_MAX)
def _record(path: Path, _changed_ns: int) -> str:
    """Return a key's TXT value; reading an RSA key takes tens of milliseconds, and a sandbox asks at each query."""
    return record(path.read_bytes())


def all_records(place: Place) -> dict[str, str]:
    """Return TXT values by record name, for every key that is there."""
    return {name: value for folder in place.dkim.glob("*/") for name, value in records(place.dkim, folder.name).items()}


def _quoted(value: str) -> str:
    return " ".join(f'"{piece}"' for piece in record_strings(value))
