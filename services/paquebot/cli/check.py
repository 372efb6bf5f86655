"""`paquebot check`: the verdict on manifests, without running anything."""

import json
import sys
from pathlib import Path

import click

from paquebot.cli.manifests import compile_files
from paquebot.cli.place import OUTPUT_OPTION


@click.command()
@click.option("-f", "paths", type=click.Path(exists=True, path_type=Path), multiple=True, required=True)
@OUTPUT_OPTION
def check(paths: tuple[Path, ...], output: str) -> None:
    """Report all faults of manifests: file, line, field and cure. Exit 1 when there are any."""
    objects, policy, faults = compile_files(paths)
    if output == "json":
        click.echo(json.dumps({"objects": len(objects), "faults": faults}))
    elif faults:
        for fault in faults:
            click.echo(fault, err=True)
        click.echo(f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in {len(objects)} objects", err=True)
    else:
        click.echo(
            f"{len(objects)} objects are good: {len(policy.domains)} domains, {len(policy.pools)} pools, "
            f"{len(policy.credentials)} credentials, {len(policy.destinations)} destination policies"
        )
    sys.exit(1 if faults else 0)
