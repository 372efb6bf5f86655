"""Prints the path of a Helm 4; builds it first when there is none. `--find` never builds."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "4.3.1"
MODULE: Final = f"helm.sh/helm/v4/cmd/helm@v{VERSION}"


class NoHelmError(RuntimeError):
    """No Helm 4 can be had here; the text says how to get one."""


def find() -> Path:
    """Return a Helm 4: given, installed or built before. Raises NoHelmError."""
    given = os.environ.get("PAQUEBOT_HELM")
    if given:
        if major(Path(given)) != 4:  # noqa: PLR2004  (the one we know)
            raise NoHelmError(f"PAQUEBOT_HELM names {given}, which is no Helm 4")
        return Path(given)
    installed = shutil.which("helm")
    for each in (*([Path(installed)] if installed else []), cached()):
        if major(each) == 4:  # noqa: PLR2004  (the same)
            return each
    raise NoHelmError(
        f"no Helm 4: `make helm` builds {VERSION} (5 minutes of CPU, once; needs Go); or put one on PATH, "
        "or name it in PAQUEBOT_HELM"
    )


def cached() -> Path:
    """Return where the one that was built is kept, outside the tree."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paquebot" / "tools" / f"helm-{VERSION}"


def major(binary: Path) -> int:
    """Return a Helm's major version, 0 when it does not tell or cannot be run."""
    try:
        told = subprocess.run([binary, "version", "--short"], capture_output=True, text=True, check=False).stdout
    except (OSError, UnicodeDecodeError):
        return 0
    found = re.search(r"v(\d+)\.", told)
    return int(found[1]) if found else 0


def provide() -> Path:
    """Return a Helm 4, after a build where there is none. Raises NoHelmError."""
    try:
        return find()
    except NoHelmError:
        if os.environ.get("PAQUEBOT_HELM"):
            raise
    go = shutil.which("go")
    if go is None:
        raise NoHelmError("Go builds Helm 4: install it, or name a Helm in PAQUEBOT_HELM")
    sys.stderr.write(f"Building Helm {VERSION} with Go (once; 3 minutes on two idle cores) ...\n")
    target = cached()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        environ = os.environ | {"GOBIN": folder, "CGO_ENABLED": "0"}
        command = ["nice", "-n", "5", go, "install", "-trimpath", "-ldflags", "-s -w", MODULE]
        if subprocess.run(command, env=environ, check=False).returncode:
            raise NoHelmError("Helm could not be built: what Go said stands above")
        (Path(folder) / "helm").replace(target)
    return target


if __name__ == "__main__":
    try:
        print(find() if "--find" in sys.argv[1:] else provide())
    except NoHelmError as error:
        sys.exit(str(error))
