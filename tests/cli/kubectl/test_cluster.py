"""What cannot be had from the cluster is told with what to do."""

import pytest
from click import ClickException

from kubectl_support import Plugin
from paquebot.cli.kubectl.cluster import Cluster, Kubectl, Pod


def cluster(plugin: Plugin, persona: str = "admin") -> Cluster:
    return Cluster(Kubectl(plugin.namespace, (f"--kubeconfig={plugin.plane.kubeconfig(persona)}",)))


def test_a_secret_is_read(plugin: Plugin) -> None:
    plugin.give_secret("letter", {"a": b"one", "b": b"two"})
    assert cluster(plugin).secret("letter", ["b"]) == {"b": b"two"}


def test_a_secret_that_is_not_there_makes_one_think_of_the_namespace(plugin: Plugin) -> None:
    with pytest.raises(ClickException, match=r"there is no Secret letter in namespace .*`--namespace` names another"):
        cluster(plugin).secret("letter", [])


def test_who_may_not_read_a_secret_is_told_of_the_role(plugin: Plugin) -> None:
    with pytest.raises(ClickException, match=r"you may not read Secret letter .*docs/platform-team\.md has the Role"):
        cluster(plugin, "tenant").secret("letter", [])


def test_a_secret_that_lacks_an_entry_is_named(plugin: Plugin) -> None:
    plugin.give_secret("letter", {"a": b"one"})
    with pytest.raises(ClickException, match=rf"Secret {plugin.namespace}/letter has no tls\.key, ca\.crt"):
        cluster(plugin).secret("letter", ["tls.key", "a", "ca.crt"])


def test_an_api_server_that_is_away_is_told_in_kubectls_words(plugin: Plugin) -> None:
    away = (f"--kubeconfig={plugin.plane.kubeconfig('admin')}", "--server=https://127.0.0.1:1")
    with pytest.raises(ClickException, match="refused"):
        Cluster(Kubectl(plugin.namespace, away)).secret("letter", [])


def test_without_kubectl_one_is_told_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ClickException, match="there is no kubectl on PATH: install it"):
        Kubectl("mail-system").get("pods")


def test_deliverers_are_found_by_their_labels(plugin: Plugin) -> None:
    assert cluster(plugin).deliverers() == []
    plugin.give_pod("deliverer-mail-system-default-1", 4001)
    assert cluster(plugin).deliverers() == [Pod("deliverer-mail-system-default-1", "127.0.0.1", 4001)]
