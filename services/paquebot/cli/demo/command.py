"""`paquebot demo`: what `make demo` runs, and what it shows."""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.live import Live
from rich.progress import Progress
from rich.table import Table

from paquebot.cli.demo.account import Account
from paquebot.cli.demo.compose import Composed, compose
from paquebot.cli.demo.run import MANIFESTS, Demo
from paquebot.cli.mailfiles import mails
from paquebot.cli.place import Place
from paquebot.cli.screen import CONSOLE
from paquebot.sandbox.internet import DEMO_RECIPIENTS, DOMAINS

RELAY = "mail-system.relay"
RELAY_SENDER = "orders@shop.test"


@click.command()
@click.option("--messages", default=1000, show_default=True, help="How many messages are composed.")
@click.option("--mail", type=click.Path(exists=True, path_type=Path), help="Your own .eml, mbox, maildir or folder.")
@click.option("--seed", default=1, show_default=True, help="The same seed composes the same messages.")
@click.option("--state", type=click.Path(path_type=Path), default=Path(".paquebot/demo"), show_default=True)
def demo(messages: int, mail: Path | None, seed: int, state: Path) -> None:
    """Send real mail through all services to a small internet on loopback, and account for every recipient.

    Exit 0 only when every accepted (message, recipient) pair is delivered once, waits with a reason, or has
    failed with a report, and everything that arrived is unaltered and its signatures are good.
    """
    source = _own(mail) if mail else compose(messages, seed, datetime.now(UTC))
    run = Demo(Place(state.absolute()), _say)
    try:
        account = asyncio.run(_run(run, source))
    except RuntimeError as failure:
        raise click.ClickException(str(failure)) from failure
    path = state / "account.json"
    path.write_text(json.dumps(account.as_json(), indent=2))
    _show(account, path, run.sending.sent[0].id if run.sending.sent else "ID")
    sys.exit(0 if account.adds_up else 1)


async def _run(run: Demo, source: Iterator[Composed]) -> Account:
    began = time.monotonic()
    try:
        passwords = await run.start()
        _say(f"up after {time.monotonic() - began:.1f} s; sending with TLS and AUTH")
        sending = asyncio.create_task(run.send(passwords, source))
        with Live(_table(run), console=CONSOLE, refresh_per_second=4, transient=True) as live:
            while not sending.done():
                live.update(_table(run))
                await asyncio.sleep(0.25)
            await sending
            waiting = asyncio.create_task(run.wait(began))
            while not waiting.done():
                live.update(_table(run))
                await asyncio.sleep(0.25)
        CONSOLE.print(_table(run))
        account = await _settle(run)
        account.seconds = round(time.monotonic() - began, 1)
        return account
    finally:
        await run.stop()


async def _settle(run: Demo) -> Account:
    with Progress(console=CONSOLE, transient=True) as progress:
        task = progress.add_task("verifying DKIM with dkimpy", total=len(run.internet.received))
        return await run.account(lambda: progress.advance(task))


def _table(run: Demo) -> Table:
    """Show accepted and arrived recipients by domain, as they are now."""
    accepted = Counter(_domain(each) for sent in tuple(run.sending.sent) for each in sent.recipients)
    arrived = Counter(_domain(each) for received in run.internet for each in received.envelope.recipients)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("DESTINATION")
    table.add_column("ACCEPTED", justify="right")
    table.add_column("ARRIVED", justify="right")
    table.add_column("WHAT IT IS LIKE", style="dim")
    for domain in sorted(accepted | arrived):
        manner = DOMAINS.get(domain, "a sender's own domain: reports come home here")
        table.add_row(domain, str(accepted[domain]), str(arrived[domain]), manner)
    table.add_row("[bold]all", f"[bold]{accepted.total()}", f"[bold]{arrived.total()}", "(message, recipient) pairs")
    return table


def _show(account: Account, path: Path, ident: str) -> None:
    CONSOLE.print()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    rows = (
        ("accepted", account.accepted, f"pairs, in {account.messages} messages that were answered 250"),
        ("delivered", account.delivered, "held by a receiving host, byte for byte what was accepted"),
        ("waiting", account.waiting, "in the queue, each with its reason"),
        ("failed", account.failed, "with a report in the sender's mailbox"),
        ("refused", account.refused, "before the 250, with a reply"),
        ("lost", account.lost, ""),
        ("duplicated", account.duplicated, ""),
        ("altered", account.altered, ""),
        ("in doubt", account.in_doubt, _doubts(account)),
        ("DKIM good", account.verified, f"by dkimpy, both signatures; not good: {account.unverified}"),
    )
    for name, number, remark in rows:
        table.add_row(name, str(number), remark)
    CONSOLE.print(table)
    for fate, count in account.unexpected.items():
        CONSOLE.print(f"  {count:>4} x {fate}, which it should not be", style="bold red", soft_wrap=True)
    for reason, count in account.reasons.items():
        CONSOLE.print(f"  waits  {count:>4} x {reason}", style="dim", soft_wrap=True)
    for reply, count in account.refusals.items():
        CONSOLE.print(f"  refused {count:>3} x {reply}", style="dim", soft_wrap=True)
    verdict = "[bold green]It adds up[/]" if account.adds_up else "[bold red]It does NOT add up[/]"
    CONSOLE.print(
        f"\n{verdict}: {account.accepted} = {account.delivered} delivered + {account.waiting} waiting "
        f"+ {account.failed} failed, after {account.seconds} s. The account: {path}"
    )
    _next(path.parent, ident)


def _doubts(account: Account) -> str:
    """Say what became of pairs whose reply to the final dot was lost."""
    told = "the reply to the final dot was lost"
    if account.twice_in_doubt:
        told += f"; {account.twice_in_doubt} of them came twice, since the host had taken them in silence (RFC 1047)"
    return told


def _next(state: Path, ident: str) -> None:
    CONSOLE.print("\nThree things to try next:")
    where = f"--state {os.path.relpath(state)}"
    CONSOLE.print(f"  .venv/bin/paquebot up --sandbox -f {os.path.relpath(MANIFESTS)} {where}")
    CONSOLE.print("      the same platform again, until Ctrl-C: what waits now is tried again")
    CONSOLE.print(f"  .venv/bin/paquebot queue list {where}")
    CONSOLE.print("      in another terminal: what still waits, and why")
    CONSOLE.print(f"  .venv/bin/paquebot trace {where} {ident}")
    CONSOLE.print("      everything that happened to one of the messages")


def _own(path: Path) -> Iterator[Composed]:
    """Return the reader's own messages, through the relay credential, one recipient each."""
    chance = random.Random(1)  # noqa: S311  (variety, not secrecy)
    domains, weights = zip(*DEMO_RECIPIENTS, strict=True)
    for number, message in enumerate(mails(path, RELAY_SENDER)):
        recipient = f"reader.{number}@{chance.choices(domains, weights)[0]}"
        yield Composed(RELAY, RELAY_SENDER, (recipient,), message.content, "yours")


def _domain(mailbox: str) -> str:
    return mailbox.rpartition("@")[2]


def _say(line: str) -> None:
    CONSOLE.print(f"  {line}", style="dim")
