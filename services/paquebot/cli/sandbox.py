"""`paquebot sandbox`: the small internet alone, for other platforms or tests to deliver to."""

import asyncio

import click

from paquebot.sandbox.internet import DOMAINS, Internet


@click.command()
@click.option("--dns-port", default=5355, show_default=True)
@click.option("--mx-port", default=2525, show_default=True)
def sandbox(dns_port: int, mx_port: int) -> None:
    """Run a DNS server and MX hosts of several manners on loopback until Ctrl-C."""
    with asyncio.Runner() as runner:
        try:
            runner.run(_serve(dns_port, mx_port))
        except KeyboardInterrupt:
            click.echo("the sandbox is gone")


async def _serve(dns_port: int, mx_port: int) -> None:
    internet = Internet(dns_port=dns_port, mx_port=mx_port)
    await internet.start()
    click.echo(f"DNS at {internet.resolver_address}, MX hosts on port {internet.mx_port}:")
    for domain, manner in DOMAINS.items():
        click.echo(f"  {domain:24} {manner}")
    try:
        await asyncio.Event().wait()
    finally:
        await internet.stop()
