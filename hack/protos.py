"""Generates services/paquebot/pb from protos/; `--check` says whether what is committed is current.

The virtual root `paquebot/pb/v1` makes the generated imports right without rewriting them.
"""

import filecmp
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "protos" / "paquebot" / "v1"
TARGET = Path("paquebot") / "pb" / "v1"


def generate(into: Path) -> None:
    """Write the generated modules and their stubs below a folder."""
    names = [str(TARGET / source.name) for source in sorted(SOURCES.glob("*.proto"))]
    options = [f"-I{TARGET}={SOURCES}", f"--python_out={into}", f"--pyi_out={into}"]
    if protoc.main(["protoc", *options, *names]):
        sys.exit("protoc failed")


def differences() -> list[str]:
    """Return the files that differ from what the protos say."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh, committed = Path(folder) / TARGET, ROOT / "services" / TARGET
        names = {path.name for path in fresh.iterdir()} | {path.name for path in committed.glob("*_pb2.py*")}
        return sorted(name for name in names if not _same(fresh / name, committed / name))


def _same(first: Path, second: Path) -> bool:
    return first.exists() and second.exists() and filecmp.cmp(first, second, shallow=False)


if __name__ == "__main__":
    if "--check" in sys.argv:
        stale = differences()
        if stale:
            sys.exit(f"generated files are not current: {', '.join(stale)}; run `make protos`")
    else:
        generate(ROOT / "services")
