"""The door speaks to a real API server: what is applied, read, refused."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kube_plane import Plane
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import ConflictError, GoneError, InvalidError, KubeError
from paquebot_operator.names import CONFIG_MAP, DEPLOYMENT, SECRET, Kind


def config_map(namespace: str, name: str = "a", **content: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": content}


async def test_two_managers_share_an_object_and_neither_takes_the_others_fields(kube: Kube, namespace: str) -> None:
    await kube.apply(CONFIG_MAP, config_map(namespace, one="1"), "first")
    await kube.apply(CONFIG_MAP, config_map(namespace, two="2"), "second")
    await kube.apply(CONFIG_MAP, config_map(namespace, one="3"), "first")
    entry = await kube.get(CONFIG_MAP, namespace, "a")
    assert entry is not None
    assert entry["data"] == {"one": "3", "two": "2"}


async def test_what_is_not_there_is_none_and_deleting_it_is_fine(kube: Kube, namespace: str) -> None:
    assert await kube.get(CONFIG_MAP, namespace, "missing") is None
    await kube.delete(CONFIG_MAP, namespace, "missing")


async def test_only_the_very_object_is_deleted(kube: Kube, namespace: str) -> None:
    entry = await kube.apply(CONFIG_MAP, config_map(namespace), "first")
    with pytest.raises(ConflictError):
        await kube.delete(CONFIG_MAP, namespace, "a", uid="another")
    await kube.delete(CONFIG_MAP, namespace, "a", uid=entry["metadata"]["uid"])
    assert await kube.get(CONFIG_MAP, namespace, "a") is None


async def test_a_replacement_needs_the_version_that_is_there(kube: Kube, namespace: str) -> None:
    entry = await kube.apply(CONFIG_MAP, config_map(namespace, one="1"), "first")
    await kube.apply(CONFIG_MAP, config_map(namespace, one="2"), "first")
    with pytest.raises(ConflictError):
        await kube.replace(CONFIG_MAP, entry)


async def test_all_are_listed_by_chunks_and_by_labels(
    monkeypatch: pytest.MonkeyPatch, kube: Kube, namespace: str
) -> None:
    monkeypatch.setattr("paquebot_operator.kube.client.CHUNK", 2)
    for number in range(5):
        entry = config_map(namespace, f"m{number}")
        entry["metadata"]["labels"] = {"odd": str(number % 2)}
        await kube.apply(CONFIG_MAP, entry, "first")
    assert {each["metadata"]["name"] for each in await kube.items(CONFIG_MAP, namespace)} >= {f"m{n}" for n in range(5)}
    assert len(await kube.items(CONFIG_MAP, namespace, "odd=1")) == 2


async def test_metadata_alone_comes_back_from_a_touch(kube: Kube, namespace: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace}}
    await kube.apply(SECRET, manifest | {"stringData": {"password": "hidden"}}, "first")
    touched = await kube.touch(SECRET, manifest, "second")
    assert touched["metadata"]["uid"]
    assert "data" not in touched


async def test_what_is_refused_says_why(kube: Kube, namespace: str) -> None:
    wrong = config_map(namespace) | {"data": {"not/a/key": "x"}}
    with pytest.raises(InvalidError, match="not/a/key"):
        await kube.apply(CONFIG_MAP, wrong, "first")


async def test_kinds_that_a_cluster_lacks_are_known_to_be_missing(kube: Kube) -> None:
    assert await kube.serves(DEPLOYMENT)
    assert await kube.serves(SECRET)
    assert not await kube.serves(Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors"))
    with pytest.raises(GoneError):
        await kube.items(Kind("example.com/v1", "Nothing", "nothings"))


async def test_a_server_that_does_not_answer_is_an_error_of_ours(bare_plane: Plane, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(bare_plane.kubeconfig("admin").read_text().replace(str(bare_plane.port), "1"))
    kube = Kube.login(config)
    with pytest.raises(KubeError, match="no answer"):
        await kube.get(CONFIG_MAP, "default", "a")
    kube.close()


def test_without_a_cluster_there_is_nobody_to_log_in_at(tmp_path: Path) -> None:
    with pytest.raises(KubeError, match="no cluster"):
        Kube.login()
    with pytest.raises(KubeError, match="no cluster"):
        Kube.login(tmp_path / "missing")


async def test_requests_keep_to_their_pace(kube: Kube, namespace: str) -> None:
    kube.pace.rate, kube.pace.burst, kube.pace.tokens = 20.0, 2.0, 2.0
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(kube.get(CONFIG_MAP, namespace, "a") for _ in range(6)))
    assert asyncio.get_running_loop().time() - began >= 0.15  # four of them had to wait for a token each
