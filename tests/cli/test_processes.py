"""A process is started again when it ends by itself, and not when it is told to end."""

import asyncio
from pathlib import Path

import pytest

from paquebot.cli import processes
from paquebot.cli.processes import PROMISED_MAX, Service, free_port, last_words, probe
from tests_support import wait_for


@pytest.fixture
def crashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Return a service that ends at once, whatever it is."""
    monkeypatch.setattr(processes, "RESTART_S", 0.05)
    return Service("router", "this", {}, free_port(), tmp_path / "router.log", lambda _line: None)


async def test_what_ends_by_itself_is_started_again_until_told_to_end(crashing: Service) -> None:
    await crashing.launch()
    await wait_for(lambda: crashing.restarts == 1)
    await crashing.end()
    last = crashing.process
    assert last is not None
    assert last.returncode is not None
    await asyncio.sleep(0.3)
    assert crashing.process is last


async def test_one_that_is_just_being_started_ends_too(crashing: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    start = asyncio.create_subprocess_exec
    starting = asyncio.Event()

    async def slow(*arguments: str, **more: object) -> asyncio.subprocess.Process:
        starting.set()
        await asyncio.sleep(0.3)
        return await start(*arguments, **more)

    await crashing.launch()
    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
    await starting.wait()
    first = crashing.process
    await crashing.end()
    assert crashing.process is not first
    assert crashing.process is not None
    assert crashing.process.returncode is not None


async def test_one_that_crashes_at_start_is_told_of(crashing: Service) -> None:
    await crashing.launch()
    with pytest.raises(RuntimeError, match="router is not ready: it crashes at start"):
        await crashing.wait_ready()
    await crashing.end()


def test_a_port_that_nobody_listens_on_is_not_ready() -> None:
    assert probe(free_port())[0] is False


def test_a_port_is_given_to_one_alone() -> None:
    given = [free_port() for _ in range(PROMISED_MAX)]
    assert len(set(given)) == PROMISED_MAX


def test_the_last_exception_of_a_log_is_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text('{"event": "started"}\n{"exception": "Traceback\\n  | ValueError: no"}\nnot json\n')
    assert last_words(log) == ": ValueError: no"
