"""`paquebot check` says every fault with its place, and its exit code can be trusted."""

import json
from pathlib import Path

from click.testing import CliRunner

from paquebot.cli.main import main

POOL = "apiVersion: paquebot.dev/v1alpha1\nkind: SendingPool\nmetadata: {name: default, namespace: mail-system}\n"


def check(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", *arguments])
    return result.exit_code, result.output


def test_good_manifests_are_counted(tmp_path: Path) -> None:
    (tmp_path / "pool.yaml").write_text(POOL + "spec: {heloHostname: out.example}\n")
    code, output = check("-f", str(tmp_path))
    counts = "0 domains, 1 pools, 0 credentials, 0 destination policies, 0 routes, 0 suppression lists"
    assert (code, output) == (0, f"1 objects are good: {counts}\n")


def test_all_faults_are_told_with_file_line_field_and_cure(tmp_path: Path) -> None:
    (tmp_path / "pool.yaml").write_text(
        POOL + "spec:\n  heloHostname: out.example\n  pausd: true\n  retry: {max: soon}\n"
    )
    code, output = check("-f", str(tmp_path))
    assert code == 1
    assert "pool.yaml:6: SendingPool mail-system/default: spec.pausd" in output
    assert "did you mean paused?" in output
    assert "spec.retry.max" in output
    assert "2 faults in 1 objects" in output


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1,\nb: }\n")
    code, output = check("-f", str(tmp_path))
    assert code == 1
    assert "bad.yaml" in output


def test_no_manifest_says_whose_tokens_count(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(
        "apiVersion: paquebot.dev/v1alpha1\nkind: ClusterIdentity\nmetadata: {name: cluster}\n"
        "spec: {issuer: https://issuer.test, jwks: {keys: [{kid: one, kty: EC, crv: P-256, x: AQ, y: AQ}]}}\n"
    )
    code, output = check("-f", str(tmp_path))
    assert code == 1
    assert "cluster.yaml:2: ClusterIdentity: kind: is no manifest: it would say whose tokens count; take it" in output
    assert "1 fault in 1 objects" in output


def test_programs_get_each_part_of_a_fault(tmp_path: Path) -> None:
    (tmp_path / "pool.yaml").write_text(POOL + "spec: {}\n")
    code, output = check("-f", str(tmp_path), "--output", "json")
    assert code == 1
    assert json.loads(output) == {
        "objects": 1,
        "faults": [
            {
                "file": str(tmp_path / "pool.yaml"),
                "line": 4,
                "kind": "SendingPool",
                "namespace": "mail-system",
                "name": "default",
                "field": "spec.heloHostname",
                "text": "is missing",
                "cure": "give it",
            }
        ],
    }


def test_a_broken_file_does_not_hide_the_faults_of_others_nor_invent_some(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: SendingPool\n\tbroken\n")
    (tmp_path / "b.yaml").write_bytes(b"kind: \xff\n")
    (tmp_path / "c.yaml").write_text(
        "apiVersion: paquebot.dev/v1alpha1\nkind: MailDomain\nmetadata: {name: shop, namespace: shop}\n"
        "spec: {domain: shop.example, suspned: true}\n"
    )
    code, output = check("-f", str(tmp_path))
    assert code == 1
    lines = output.splitlines()
    assert lines[0].startswith(f"{tmp_path}/a.yaml:2: ")
    assert lines[1] == f"{tmp_path}/b.yaml: is not text in UTF-8; store it as UTF-8"
    assert "c.yaml:4: MailDomain shop/shop: spec.suspned: is not a known field; did you mean suspend?" in lines[2]
    assert lines[3:] == ["3 faults in 1 objects"]  # nothing of the pool that may stand in a.yaml


def test_unknown_kinds_and_duplicate_keys_are_told_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(POOL.replace("SendingPool", "SendingPol") + "spec: {}\nspec: {}\n")
    assert 'kinds.yaml:5: "spec" stands here twice; remove one of the two' in check("-f", str(tmp_path))[1]
    (tmp_path / "kinds.yaml").write_text(POOL.replace("SendingPool", "SendingPol") + "spec: {}\n")
    assert (
        'kinds.yaml:2: SendingPol mail-system/default: kind: "SendingPol" is not known; did you mean SendingPool?'
        in (check("-f", str(tmp_path))[1])
    )


def test_nothing_to_look_at_is_a_wrong_call(tmp_path: Path) -> None:
    assert check("-f", str(tmp_path))[0] == 2
    assert check("-f", str(tmp_path / "gone.yaml"))[0] == 2
