"""Reads manifest files and says their faults with file, line, field and cure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from paquebot.policy.cluster import KIND
from paquebot.policy.compile import compile_policy, faults_alone
from paquebot.policy.faults import Fault, PolicyFaults
from paquebot.policy.manifests import Located, ManifestFault, locate
from paquebot.policy.manifests import read as read_text
from paquebot.policy.values import Policy

SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True, slots=True)
class FileFault:
    """A fault and where it stands. `kind` to `field` are empty where there is no object; line 0: the whole file."""

    file: str
    line: int
    kind: str
    namespace: str
    name: str
    field: str
    text: str
    cure: str

    def __str__(self) -> str:
        """Return one line: `pool.yaml:6: SendingPool mail-system/default: spec.pausd: is not a known field; …`."""
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        if not self.kind:
            return f"{where}{self.text}; {self.cure}"
        return where + str(Fault(self.kind, self.namespace, self.name, self.field, self.text, self.cure))


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and the folders' manifest files in order of their names."""
    return [file for path in paths for file in _files(path)]


def compile_files(paths: Iterable[Path]) -> tuple[list[Located], Policy, list[FileFault]]:
    """Return the objects, their policy, and all faults; the policy is empty when there are any.

    While a file cannot be read, what objects refer to may stand in it: then each is looked at alone.
    """
    objects: list[Located] = []
    faults: list[FileFault] = []
    for file in files_of(paths):
        found, wrong = _read(file)
        objects += found
        faults += wrong
    if not objects and not faults:
        return [], Policy(), [_of_file("", "no manifest found", "give files or folders with .yaml files to -f")]
    plain = [located.object for located in objects]
    faults += [_of_cluster(each) for each in objects if each.object.get("kind") == KIND]
    if faults:
        return objects, Policy(), faults + _placed(faults_alone(plain), objects)
    try:
        return objects, compile_policy(plain), []
    except PolicyFaults as refused:
        return objects, Policy(), _placed(refused.faults, objects)


def _read(file: Path) -> tuple[Sequence[Located], list[FileFault]]:
    try:
        found, faults = read_text(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError:
        return [], [_of_file(str(file), "is not text in UTF-8", "store it as UTF-8")]
    except OSError as error:
        return [], [_of_file(str(file), f"cannot be read: {error.strerror}", "put it back, or take it out of -f")]
    # A status in a file counts for nothing, as with `kubectl apply`: here nobody keeps it true.
    plain = [replace(each, object={k: v for k, v in each.object.items() if k != "status"}) for each in found]
    return plain, [_of_text(fault) for fault in faults]


def _of_text(fault: ManifestFault) -> FileFault:
    return FileFault(fault.file, fault.line, "", "", "", "", fault.text, fault.cure)


def _of_file(file: str, text: str, cure: str) -> FileFault:
    return FileFault(file, 0, "", "", "", "", text, cure)


def _of_cluster(located: Located) -> FileFault:
    text, cure = (
        "is no manifest: it would say whose tokens count",
        "take it out; the operator looks at its cluster itself",
    )
    return FileFault(located.file, located.line_of("kind"), KIND, "", "", "kind", text, cure)


def _placed(faults: Sequence[Fault], objects: Sequence[Located]) -> list[FileFault]:
    return [
        FileFault(*locate(fault, objects), fault.kind, fault.namespace, fault.name, fault.path, fault.text, fault.cure)
        for fault in faults
    ]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    return [path]
