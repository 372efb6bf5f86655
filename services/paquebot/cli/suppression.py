"""`paquebot suppression`: who stands on the SuppressionLists of the running platform."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict
from typing import TextIO, TypeVar

import click
from rich.progress import track

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.policy.faults import Unfit
from paquebot.policy.scalars import duration_s
from paquebot.policy.suppression import SuppressionList
from paquebot.policy.values import Policy
from paquebot.queue import suppression as store
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy
from paquebot.queue.suppression import Entry

AT_ONCE = 200  # entries under way while importing
T = TypeVar("T")


@click.group()
def suppression() -> None:
    """Keep the SuppressionLists: mailboxes that get no mail from a tenant.

    A list holds keyed hashes, never addresses: it can say whether an address is on it, and never which ones are.
    """


@suppression.command()
@click.argument("list_name", metavar="LIST")
@click.argument("address")
@click.option("--reason", default="added by hand", show_default=True)
@click.option("--ttl", help="How long, such as 30d; the list's own `ttl` when not given.")
@STATE_OPTION
def add(list_name: str, address: str, reason: str, ttl: str | None, place: Place) -> None:
    """Put ADDRESS on LIST (<namespace>/<name>). Mail that waits for it fails with a report."""
    secret = store.read_secret(place.suppression_key)

    async def work(js: JetStream, policy: Policy) -> None:
        entry = _entry(_known(policy, list_name), reason, _seconds(ttl))
        await store.put(js, store.key_of(secret, list_name, _mailbox(address)), entry)

    _run(place, work)
    click.echo(f"{address} is on {list_name}")


@suppression.command()
@click.argument("list_name", metavar="LIST")
@click.argument("address")
@STATE_OPTION
def remove(list_name: str, address: str, place: Place) -> None:
    """Take ADDRESS off LIST. Exit 1 when it was not on it."""
    secret = store.read_secret(place.suppression_key)

    async def work(js: JetStream, policy: Policy) -> bool:
        del policy  # also a list that no manifest declares any more can be cleaned
        return await store.remove(js, store.key_of(secret, list_name, _mailbox(address)))

    if not _run(place, work):
        raise click.ClickException(f"{address} is not on {list_name}")
    click.echo(f"{address} is off {list_name}")


@suppression.command()
@click.argument("address")
@OUTPUT_OPTION
@STATE_OPTION
def check(address: str, output: str, place: Place) -> None:
    """Say which lists ADDRESS is on, since when and why."""
    secret = store.read_secret(place.suppression_key)

    async def work(js: JetStream, policy: Policy) -> dict[str, Entry]:
        keys = {each: store.key_of(secret, each, _mailbox(address)) for each in policy.suppression.by_place}
        found = {each: await store.read(js, key) for each, key in keys.items()}
        return {each: entry for each, entry in found.items() if entry is not None}

    found = _run(place, work)
    if output == "json":
        click.echo(json.dumps({each: asdict(entry) for each, entry in found.items()}))
    elif not found:
        click.echo(f"{address} is on no list")
    else:
        rows = [
            (each, entry.source, _day(entry.since_s), _day(entry.expires_s), entry.reason)
            for each, entry in found.items()
        ]
        show_table(("LIST", "SOURCE", "SINCE", "UNTIL", "REASON"), rows)


@suppression.command("list")
@OUTPUT_OPTION
@STATE_OPTION
def list_all(output: str, place: Place) -> None:
    """Count the entries of each list."""

    async def work(js: JetStream, policy: Policy) -> tuple[dict[str, int], Policy]:
        return dict.fromkeys(policy.suppression.by_place, 0) | await store.counts(js), policy

    counts, policy = _run(place, work)
    if output == "json":
        click.echo(json.dumps(counts))
    else:
        rows = [
            (each, str(count), _purpose(policy.suppression.by_place.get(each)))
            for each, count in sorted(counts.items())
        ]
        show_table(("LIST", "ENTRIES", "FOR"), rows)


@suppression.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--list", "list_name", metavar="LIST", help="Where addresses go; what was exported knows its list.")
@click.option("--reason", default="imported", show_default=True)
@click.option("--ttl", help="How long, such as 30d; the list's own `ttl` when not given.")
@STATE_OPTION
def import_file(file: TextIO, list_name: str | None, reason: str, ttl: str | None, place: Place) -> None:
    """Add what FILE names: an address a line (others than the first column of a CSV are passed over), or an export.

    An export is of use only under the same key (suppression.key of the state directory).
    """
    secret = store.read_secret(place.suppression_key)
    lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]

    async def work(js: JetStream, policy: Policy) -> int:
        found = dict(_read(lines, list_name, policy, secret, lambda known: _entry(known, reason, _seconds(ttl))))
        room = await store.room(js)
        if len(found) > room:
            raise click.ClickException(f"there is room for {room} more entries, and the file has {len(found)}")
        quiet = not sys.stderr.isatty()
        for batch in track(_batches(found), "importing", disable=quiet, console=CONSOLE):
            await asyncio.gather(*(store.put(js, key, entry) for key, entry in batch))
        return len(found)

    click.echo(f"{_run(place, work)} entries are imported")


@suppression.command()
@click.argument("list_name", metavar="LIST", required=False)
@STATE_OPTION
def export(list_name: str | None, place: Place) -> None:
    """Print the entries of LIST, or of all, as JSON lines: hashes, no addresses, for an import under the same key."""

    async def work(js: JetStream, policy: Policy) -> int:
        del policy
        count = 0
        for key, entry in await store.entries(js):
            if list_name is None or key.startswith(f"{list_name.replace('/', '.')}."):
                click.echo(json.dumps({"key": key, **asdict(entry)}))
                count += 1
        return count

    click.echo(f"{_run(place, work)} entries; they are hashes: the addresses cannot be recovered", err=True)


def _run(place: Place, work: Callable[[JetStream, Policy], Awaitable[T]]) -> T:
    async def connected() -> T:
        running = place.running_or_fail()
        js = await JetStream.connect(running.nats_url, place.identity("admin"), "suppression")
        try:
            return await work(js, await read_policy(js) or Policy())
        finally:
            await js.close()

    return asyncio.run(connected())


def _known(policy: Policy, list_name: str) -> SuppressionList:
    found = policy.suppression.by_place.get(list_name)
    if found is None:
        known = ", ".join(sorted(policy.suppression.by_place)) or "none"
        raise click.ClickException(f"no manifest declares the SuppressionList {list_name}; known: {known}")
    return found


def _entry(known: SuppressionList, reason: str, ttl_s: int) -> Entry:
    now_s = int(time.time())
    return Entry(reason, "person", now_s, now_s + (ttl_s or known.ttl_s))


def _read(
    lines: Iterable[str],
    list_name: str | None,
    policy: Policy,
    secret: bytes,
    entry_for: Callable[[SuppressionList], Entry],
) -> Iterator[tuple[str, Entry]]:
    """Yield keys and entries of a file's lines; end the command at the first that is neither."""
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            yield _exported(line, number)
            continue
        if list_name is None:
            raise click.ClickException("these are addresses: say with --list where they go")
        mailbox = _mailbox(line.split(",")[0].strip().strip('"'), f"entry {number}")
        yield store.key_of(secret, list_name, mailbox), entry_for(_known(policy, list_name))


def _exported(line: str, number: int) -> tuple[str, Entry]:
    try:
        fields = json.loads(line)
        return str(fields.pop("key")), Entry(**fields)
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"entry {number} is no line of an export") from error


def _batches(found: dict[str, Entry]) -> list[list[tuple[str, Entry]]]:
    every = list(found.items())
    return [every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE)]


def _mailbox(address: str, where: str = "ADDRESS") -> str:
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or " " in address:
        raise click.ClickException(f"{where}: {address!r} is no address: give local-part@domain")
    return address


def _seconds(ttl: str | None) -> int:
    try:
        return duration_s(ttl) if ttl else 0
    except Unfit as fault:
        raise click.BadParameter(f"{fault.text}: {fault.cure}", param_hint="--ttl") from fault


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds)) if seconds else "for ever"


def _purpose(known: SuppressionList | None) -> str:
    if known is None:
        return "nothing: no manifest declares it any more"
    whose = "everybody's mail" if known.everybody else f"mail of {known.namespace}"
    return f"{whose}{' from ' + ', '.join(known.domains) if known.domains else ''}"
