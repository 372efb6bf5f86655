"""`paquebot sandbox` shows what a sandbox has received, and refuses scripts with all their faults."""

import asyncio
import json
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from paquebot.cli.main import main
from paquebot.cli.place import Place
from paquebot.cli.sandbox import announce
from paquebot.sandbox.internet import Internet

CONTENT = b"From: a@shop.test\r\nSubject: caf\xc3\xa9\r\n\r\nhello\r\n"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Run a sandbox in a thread; it has received one message."""
    with running(Place(tmp_path)) as internet:
        address = internet.hosts["mx.accept.test"].address
        with smtplib.SMTP(address, internet.mx_port, "out.test", timeout=30) as client:
            lax = ssl.create_default_context()
            lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
            client.starttls(context=lax)
            client.sendmail("a@shop.test", ["b@accept.test", "c@accept.test"], CONTENT)
        yield tmp_path


@contextmanager
def running(place: Place) -> Iterator[Internet]:
    internet = Internet(folder=place.received)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(internet.start())
    announce(place, internet)
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield internet
    asyncio.run_coroutine_threadsafe(internet.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sandbox", *arguments])


def test_it_lists_and_shows_what_arrived(state: Path) -> None:
    listed = json.loads(run("list", "--state", str(state), "--output", "json").output)
    assert [(each["number"], each["host"], each["from"], each["tls"]) for each in listed] == [
        (1, "mx.accept.test", "a@shop.test", True)
    ]
    assert "b@accept.test, c@accept.test" in run("list", "--state", str(state)).output
    assert "0 received" in run("list", "--domain", "plain.test", "--state", str(state)).output
    shown = run("show", "1", "--state", str(state)).output
    assert "mx.accept.test" in shown
    assert shown.endswith("From: a@shop.test\nSubject: café\n\nhello\n")


def test_what_is_not_there_is_said(state: Path) -> None:
    result = run("show", "2", "--state", str(state))
    assert result.exit_code == 1
    assert "nothing received has the number 2" in result.output


def test_it_verifies_what_arrived(state: Path) -> None:
    result = run("verify", "--state", str(state), "--output", "json")
    assert result.exit_code == 0
    (row,) = json.loads(result.output)
    assert (row["domain"], row["messages"], row["recipients"], row["unsigned"], row["malformed"]) == (
        "accept.test",
        1,
        2,
        1,
        0,
    )
    assert "all good" in run("verify", "--state", str(state)).output


def test_without_a_sandbox_there_is_nothing_to_verify(tmp_path: Path) -> None:
    result = run("verify", "--state", str(tmp_path))
    assert result.exit_code == 1
    assert "`paquebot up --sandbox` starts one" in result.output


def test_a_script_that_cannot_be_staged_is_refused_with_all_faults(tmp_path: Path) -> None:
    script = tmp_path / "s.yaml"
    script.write_text("domains:\n- {domain: a.test}\n- {domain: accept.test, dns: NullMX}\n")
    result = run("--script", str(script))
    assert result.exit_code == 1
    assert f"{script}:2: Sandbox: domains[0].mx: names no host" in result.output
    assert f'{script}:3: Sandbox: domains[1].domain: "accept.test" is there already' in result.output


def test_a_script_without_the_sandbox_is_a_mistake(tmp_path: Path) -> None:
    script = tmp_path / "s.yaml"
    script.write_text("{}")
    result = CliRunner().invoke(main, ["up", "-f", str(tmp_path), "--script", str(script)])
    assert result.exit_code == 2
    assert "add --sandbox" in result.output
