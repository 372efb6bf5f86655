"""Where a Helm is taken from."""

from pathlib import Path

import pytest
from hack import helm


def program(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return path


def test_a_helm_that_is_named_is_taken_and_an_old_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAQUEBOT_HELM", str(program(tmp_path / "four", "v4.0.1+g1234567")))
    assert helm.find() == tmp_path / "four"
    monkeypatch.setenv("PAQUEBOT_HELM", str(program(tmp_path / "three", "v3.19.0+g1234567")))
    with pytest.raises(helm.NoHelmError, match="three, which is no Helm 4"):
        helm.provide()


def test_without_one_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAQUEBOT_HELM", raising=False)
    program(tmp_path / "helm", "v3.19.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(helm.NoHelmError, match=r"`make helm` builds 4\.3\.1"):
        helm.find()
    with pytest.raises(helm.NoHelmError, match="Go builds Helm 4"):
        helm.provide()
    assert program_in_cache(tmp_path) == helm.find()


def program_in_cache(cache: Path) -> Path:
    helm.cached().parent.mkdir(parents=True)
    assert cache in helm.cached().parents
    return program(helm.cached(), "v4.3.1")
