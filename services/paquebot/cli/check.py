"""`paquebot check`: the verdict on manifests, without running anything."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from paquebot.cli.manifests import FileFault, compile_files, files_of
from paquebot.cli.place import OUTPUT_OPTION
from paquebot.policy.values import Policy


@click.command()
@click.option("-f", "paths", type=click.Path(exists=True, path_type=Path), multiple=True, required=True)
@OUTPUT_OPTION
def check(paths: tuple[Path, ...], output: str) -> None:
    """Report all faults of manifests: file, line, field and cure.

    Exit 0: all good. 1: faults. 2: nothing to look at: no such path, or a folder without .yaml, .yml or .json.
    """
    if not files_of(paths):
        raise click.UsageError(f"no manifest found in {', '.join(map(str, paths))}: give files, or folders with .yaml")
    objects, policy, faults = compile_files(paths)
    if output == "json":
        click.echo(json.dumps({"objects": len(objects), "faults": [asdict(fault) for fault in faults]}, indent=2))
    else:
        _tell(len(objects), policy, faults)
    sys.exit(1 if faults else 0)


def _tell(objects: int, policy: Policy, faults: Sequence[FileFault]) -> None:
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        click.echo(f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in {objects} objects", err=True)
    else:
        click.echo(
            f"{objects} objects are good: {len(policy.domains)} domains, {len(policy.pools)} pools, "
            f"{len(policy.credentials)} credentials, {len(policy.destinations)} destination policies, "
            f"{len(policy.routes.ordered)} routes, "
            f"{len(policy.suppression.by_place)} suppression lists"
        )
