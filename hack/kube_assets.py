"""Prints the folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler; builds them first.

`--find` never builds: it says what is missing and how to get it. The four are one program, built from the
modules that hack/kube/go.mod pins, and kept outside the tree under a digest of everything that decides it.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

VERSION: Final = "1.37.2"
NAMES: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
DISK_BYTES_MIN: Final = 9 << 30  # a build from nothing needs 7.9 GB, most of it only while it runs
WORD_S: Final = 30  # a compiler says nothing for minutes: we do

SOURCE: Final = Path(__file__).parent / "kube"
_STAMPS: Final = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": "37", "gitTreeState": "clean"}
_PACKAGES: Final = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
LDFLAGS: Final = " ".join(
    ["-s", "-w", *(f"-X {package}.{name}={value}" for package in _PACKAGES for name, value in _STAMPS.items())]
)


class MissingAssetsError(RuntimeError):
    """The programs are not here; the text says how to get them."""


def find() -> Path:
    """Return the folder with the four programs. Raises MissingAssetsError."""
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given and all((Path(given) / name).exists() for name in NAMES):
        return Path(given)
    folder = cache_folder()
    if all((folder / name).exists() for name in NAMES):
        return folder
    what = f"KUBEBUILDER_ASSETS={given} lacks some of {', '.join(NAMES)}" if given else "no Kubernetes control plane"
    raise MissingAssetsError(f"{what}: `make kube` builds one ({VERSION}; about 13 minutes of CPU, once; needs Go)")


def cache_folder() -> Path:
    """Return where they are kept: another module, program, flag or machine is another folder."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((SOURCE / name).read_bytes())
    digest.update(f"{LDFLAGS} {platform.system()} {platform.machine()}".encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "paquebot" / "kube" / digest.hexdigest()[:16]


def provide() -> Path:
    """Return the folder, after a build where there is none. Raises MissingAssetsError."""
    folder = cache_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once would each take twice as long
        try:
            return find()
        except MissingAssetsError:
            _build(folder)
        return find()


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise MissingAssetsError(
            "Go 1.26 or newer builds the control plane: install it, or name one in KUBEBUILDER_ASSETS"
        )
    free = shutil.disk_usage(folder.parent).free
    if free < DISK_BYTES_MIN:
        raise MissingAssetsError(f"{free >> 30} GB are free where {folder.parent} is: the build needs 9 GB")
    sys.stderr.write(f"Building a Kubernetes {VERSION} control plane with Go (once; 7 minutes on two idle cores) ...\n")
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "tmp").mkdir(parents=True)
    command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", LDFLAGS, "-o", str(fresh / "kube"), "."]
    environ = os.environ | {"CGO_ENABLED": "0", "GOTMPDIR": str(fresh / "tmp")}
    if _run(command, environ):
        raise MissingAssetsError("the control plane could not be built: what Go said stands above")
    shutil.rmtree(fresh / "tmp")
    for name in NAMES:
        (fresh / name).symlink_to("kube")
    fresh.replace(folder)


def _run(command: list[str], environ: dict[str, str]) -> int:
    """Run the build at a low priority, with a word now and then; return its exit code."""
    began = time.monotonic()
    with subprocess.Popen(["nice", "-n", "5", *command], cwd=SOURCE, env=environ) as process:
        while True:
            try:
                return process.wait(WORD_S)
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"  still building, {time.monotonic() - began:.0f} s so far\n")


if __name__ == "__main__":
    try:
        print(find() if "--find" in sys.argv[1:] else provide())
    except MissingAssetsError as error:
        sys.exit(str(error))
