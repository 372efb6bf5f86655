"""Gets the strangers that tests/strangers talk to: mail programs as a Debian or Ubuntu has them. Run it as root.

Postfix, Exim and OpenSMTPD are rivals as packages. Postfix is installed; the other two are unpacked into the tool
cache beside it. Needs nothing but Python, so that it can run before anything else is set up.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INSTALLED = {
    "postfix": "postfix",
    "smtp-sink": "postfix",
    "swaks": "swaks",
    "msmtp": "msmtp",
    "curl": "curl",
    "git-send-email": "git-email",
}
# What they need to log in over TLS.
BESIDE = ("ca-certificates", "libauthen-sasl-perl", "libio-socket-ssl-perl", "libmailtools-perl", "libsasl2-modules")
MODULES = ("Authen::SASL", "IO::Socket::SSL", "Mail::Address")  # of Perl: git and swaks end without them
UNPACKED = {"exim4": "exim4-daemon-light", "smtpd": "opensmtpd"}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paquebot" / "tools" / "strangers"
CURE = "run `python3 hack/strangers.py` as root on a Debian or Ubuntu"


def where(program: str) -> Path | None:
    """Return a program's path, None when it is not here."""
    folders = [*os.get_exec_path(), "/usr/sbin", "/usr/lib/git-core"]
    folders += [str(CACHE / package / "usr" / "sbin") for package in UNPACKED.values()]
    found = shutil.which(program, path=os.pathsep.join(folders))
    return Path(found) if found else None


def lacking() -> list[str]:
    """Return the programs that are not here, or not with all that they need."""
    perl = ["perl", *(f"-M{module}" for module in MODULES), "-e", "1"]
    ready = shutil.which("perl") and not subprocess.run(perl, capture_output=True, check=False).returncode
    half = () if ready else ("git-send-email", "swaks")
    return [program for program in (*INSTALLED, *UNPACKED) if program in half or where(program) is None]


def get(programs: list[str]) -> None:
    """Install or unpack what is lacking. Raises CalledProcessError, with apt's own words on standard error."""
    installed = {INSTALLED[program] for program in programs if program in INSTALLED}
    unpacked = {UNPACKED[program] for program in programs if program in UNPACKED}
    _apt("update")
    libraries = {library for package in unpacked for library in _libraries(package)}
    _apt("install", "--yes", "--no-install-recommends", "--no-upgrade", *sorted(installed | libraries), *BESIDE)
    for package in unpacked:
        _unpack(package)


def _libraries(package: str) -> list[str]:
    told = subprocess.run(["apt-cache", "depends", package], check=True, capture_output=True, text=True).stdout
    return re.findall(r"Depends: (lib\S+)", told)


def _unpack(package: str) -> None:
    target = CACHE / package
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        subprocess.run(["apt-get", "download", "--quiet", package], check=True, cwd=folder, stdout=sys.stderr)
        (archive,) = Path(folder).glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", archive, Path(folder) / "tree"], check=True)
        shutil.rmtree(target, ignore_errors=True)
        (Path(folder) / "tree").rename(target)


def _apt(*arguments: str) -> None:
    options = ["-qq", "-oDpkg::Use-Pty=0", "-oDPkg::Lock::Timeout=300"]
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", *options, *arguments], check=True, stdout=sys.stderr, env=environ)


if __name__ == "__main__":
    wanted = lacking()
    if wanted and not shutil.which("apt-get"):
        sys.exit(f"there is no apt-get here, and these are not found: {', '.join(wanted)}")
    if wanted and os.geteuid() != 0:
        sys.exit(f"only root can get {', '.join(wanted)}")
    if wanted:
        get(wanted)
    for each in (*INSTALLED, *UNPACKED):
        print(each, where(each))
