"""The image and what builds it, as far as no container can be built here: what they name is there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hack.lock_part import LOCK, blocks, part

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# The keys of skaffold's v4beta14 that we use, from its published schema; a list stands for each of its items.
RELEASE = {
    "name": str,
    "namespace": str,
    "createNamespace": bool,
    "chartPath": str,
    "setValueTemplates": dict,
    "setValues": dict,
}
PATCH = {"op": str, "path": str, "value": dict}
FORWARD = {"resourceType": str, "resourceName": str, "namespace": str, "port": int, "localPort": int}
SKAFFOLD: dict[str, Any] = {
    "apiVersion": str,
    "kind": str,
    "metadata": {"name": str},
    "build": {
        "tagPolicy": {"inputDigest": dict},
        "artifacts": [{"image": str, "context": str, "docker": {"dockerfile": str}}],
        "local": {"push": bool},
    },
    "deploy": {"helm": {"releases": [RELEASE], "flags": {"install": list, "upgrade": list}, "hooks": {"after": list}}},
    "profiles": [
        {
            "name": str,
            "activation": [{"command": str}],
            "build": {"local": {"push": bool}},
            "patches": [PATCH],
            "portForward": [FORWARD],
        }
    ],
}


def strays(value: Any, known: Any, path: str = "") -> list[str]:
    """Return where a value has what the table does not know."""
    if isinstance(known, dict):
        if not isinstance(value, dict):
            return [path]
        return [
            stray
            for key, inner in value.items()
            for stray in (strays(inner, known[key], f"{path}/{key}") if key in known else [f"{path}/{key}"])
        ]
    if isinstance(known, list):
        return [stray for number, each in enumerate(value) for stray in strays(each, known[0], f"{path}/{number}")]
    return [] if isinstance(value, known) else [path]


def patched(document: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration under a profile's patches (RFC 6902's add, to an object)."""
    copied: dict[str, Any] = yaml.safe_load(yaml.safe_dump(document))
    for patch in profile["patches"]:
        assert patch["op"] == "add"
        *way, last = patch["path"].strip("/").split("/")
        place: Any = copied
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        assert last not in place
        place[last] = patch["value"]
    return copied


def test_skaffold_is_told_only_what_it_knows_and_names_what_is_there() -> None:
    document = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    assert document["apiVersion"] == "skaffold/v4beta14"
    assert strays(document, SKAFFOLD) == []
    assert [profile["name"] for profile in document["profiles"]] == ["dev", "ci"]
    for profile in document["profiles"]:
        assert strays(patched(document, profile), SKAFFOLD) == []
    [artifact] = document["build"]["artifacts"]
    [release] = document["deploy"]["helm"]["releases"]
    assert (ROOT / artifact["context"] / artifact["docker"]["dockerfile"]).is_file()
    assert (ROOT / release["chartPath"] / "Chart.yaml").is_file()
    assert set(re.findall(r"IMAGE_\w+?_(\w+)}}", str(release["setValueTemplates"]))) == {artifact["image"]}


def test_skaffold_sets_only_values_that_the_chart_has() -> None:
    document = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    values = yaml.safe_load((ROOT / "charts" / "paquebot" / "values.yaml").read_text())
    [release] = document["deploy"]["helm"]["releases"]
    dev = patched(document, document["profiles"][0])["deploy"]["helm"]["releases"][0]["setValues"]
    for dotted in (*release["setValueTemplates"], *dev):
        place = values
        for step in dotted.split("."):
            place = place[step]


def test_everything_that_is_copied_into_the_image_is_there_and_is_let_through() -> None:
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name


def test_the_image_runs_as_nobody_and_has_the_services_as_its_words() -> None:
    assert "USER 65532:65532" in DOCKERFILE
    assert 'ENTRYPOINT ["python", "-m", "paquebot"]' in DOCKERFILE


@pytest.mark.parametrize("arguments", [[], ["rooter"], ["router", "auth"]])
def test_a_word_that_is_no_service_is_answered_with_those_that_are(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "paquebot", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert done.stderr == "usage: python -m paquebot {submission|auth|spamfilter|router|deliverer|operator}\n"


@pytest.mark.parametrize("service", ["submission", "auth", "spamfilter", "router", "deliverer", "operator"])
def test_a_service_that_is_named_becomes_it_and_asks_for_its_settings(service: str) -> None:
    done = subprocess.run([sys.executable, "-m", "paquebot", service], capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert f"{service}: PAQUEBOT_NATS_URL is not set: it is required" in done.stderr


def test_the_image_installs_what_runs_and_none_of_the_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = LOCK.read_text()
    chosen = part(lock)
    names = {re.split(r"[><=\[]", each)[0].lower() for each in project["project"]["dependencies"]}
    assert names <= set(chosen)
    assert not {"pytest", "mypy", "ruff", "grpcio-tools", "hypothesis"} & set(chosen)
    assert all("--hash=sha256:" in block for block in chosen.values())
    assert set(part(lock, "hatchling")) >= {"hatchling", "pathspec", "trove-classifiers"}
    assert "".join(blocks(lock).values()).count("==") == lock.count("==")
    versions = set(re.findall(r"^numpy==(\S+)", lock, re.MULTILINE))
    assert set(re.findall(r"^numpy==(\S+)", chosen["numpy"], re.MULTILINE)) == versions
