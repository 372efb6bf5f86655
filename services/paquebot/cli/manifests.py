"""Reads manifest files and says their faults with file, line, field and cure."""

from collections.abc import Iterable
from pathlib import Path

from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.manifests import Located, ManifestFault, locate, parse
from paquebot.policy.values import Policy

SUFFIXES = {".yaml", ".yml", ".json"}


def read(paths: Iterable[Path]) -> list[Located]:
    """Return the objects of the files and of the folders' files, in order of their names."""
    files = [file for path in paths for file in _files(path)]
    return [located for file in files for located in parse(file.read_text(), str(file))]


def compile_files(paths: Iterable[Path]) -> tuple[list[Located], Policy, list[str]]:
    """Return the objects, their policy, and all faults as lines for people; the policy is empty when there are any."""
    try:
        objects = read(paths)
    except ManifestFault as fault:
        return [], Policy(), [str(fault)]
    if not objects:
        return [], Policy(), ["no manifest found: give files or folders with .yaml files to -f"]
    try:
        return objects, compile_policy([located.object for located in objects]), []
    except PolicyFaults as faults:
        return objects, Policy(), [f"{locate(fault, objects)}: {fault}" for fault in faults.faults]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    return [path]
