"""Port-forwards are told by kubectl to be open, or it says why not."""

import json
import shutil
from pathlib import Path

import pytest

import kubectl_stand_in
from kubectl_support import Plugin
from paquebot.cli.kubectl.cluster import Kubectl
from paquebot.cli.kubectl.forward import forwarded


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    kubectl_stand_in.install(tmp_path)
    monkeypatch.setenv("REAL_KUBECTL", shutil.which("kubectl") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RELAY_TO", json.dumps({"service/a": 1, "pod/b": 2}))
    monkeypatch.setenv("OPENED", str(tmp_path / "opened"))
    return Kubectl("mail-system")


def test_each_way_has_a_port_of_its_own(kubectl: Kubectl) -> None:
    with forwarded(kubectl, [("service/a", 4222), ("pod/b", 4000)]) as ports:
        assert len(set(ports)) == 2


def test_one_way_that_is_refused_is_told_in_kubectls_words_and_stops_no_other(kubectl: Kubectl, tmp_path: Path) -> None:
    refused = "kubectl port-forward pod/c was not opened: error: unable to forward port because pod/c is not running"
    with forwarded(kubectl, [("service/a", 4222), ("pod/c", 4000)]) as opened:
        assert isinstance(opened[0], int)
        assert opened[1] == refused
    (process,) = [line.split()[0] for line in (tmp_path / "opened").read_text().splitlines()]
    assert not Path(f"/proc/{process}").exists()


def test_the_real_one_says_that_there_is_no_such_service(plugin: Plugin) -> None:
    real = Kubectl(plugin.namespace, (f"--kubeconfig={plugin.plane.kubeconfig('admin')}",))
    with forwarded(real, [("service/a", 4222)]) as opened:
        assert opened[0] == (
            'kubectl port-forward service/a was not opened: Error from server (NotFound): services "a" not found'
        )
