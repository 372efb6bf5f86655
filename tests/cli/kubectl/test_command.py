"""The commands of `paquebot` that make sense in a cluster, and no others; what they open ends with them."""

import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from kubectl_support import Plugin
from paquebot.cli.kubectl.command import NEEDS, main
from paquebot.cli.main import COMMANDS
from paquebot.queue.jetstream import JetStream
from paquebot.queue.server import NatsServer


@pytest.mark.parametrize("name", NEEDS)
def test_a_command_tells_its_help_without_a_cluster_and_knows_no_state_directory(name: str, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    for words in ([name], ["queue", "list"], ["suppression", "check"]):
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0
        assert "--state" not in result.output


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - NEEDS))
def test_what_is_about_one_machine_is_not_there(name: str) -> None:
    assert CliRunner().invoke(main, [name]).exit_code == 2


@pytest.fixture
def reachable(plugin: Plugin, nats: NatsServer, js: JetStream, identities: Path) -> Plugin:
    del js  # it made the streams
    plugin.give_identity(identities / "admin")
    plugin.ways["service/paquebot-nats"] = int(nats.url.rpartition(":")[2])
    return plugin


def test_the_queue_is_reached_by_a_port_forward_and_nothing_is_left(reachable: Plugin) -> None:
    assert reachable.run("queue", "list") == (0, "nothing waits\n")
    assert not list(reachable.scratch.iterdir())
    (process, _port) = reachable.opened[0]
    assert not Path(f"/proc/{process}").exists()


def test_a_queue_to_which_there_is_no_way_is_told(plugin: Plugin, identities: Path) -> None:
    plugin.give_identity(identities / "admin")
    code, said = plugin.run("queue", "list")
    assert code == 1
    assert said.startswith("Error: kubectl port-forward service/paquebot-nats was not opened: error: unable to forward")


def test_the_queue_is_reached_at_its_own_address(reachable: Plugin, nats: NatsServer) -> None:
    assert reachable.run("--direct", "--nats-url", nats.url, "orders") == (0, "no order is in force\n")
    assert reachable.run("--nats-url", nats.url, "orders") == (0, "no order is in force\n")
    assert not reachable.opened


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_command_that_is_ended_leaves_neither_keys_nor_processes(reachable: Plugin, number: int) -> None:
    process = reachable.start("top", "--output", "json")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("{")
    assert list(reachable.scratch.iterdir())
    process.send_signal(number)
    process.communicate(timeout=30)
    assert not list(reachable.scratch.iterdir())
    assert not Path(f"/proc/{reachable.opened[0][0]}").exists()
