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
    assert (code, output) == (0, "1 objects are good: 0 domains, 1 pools, 0 credentials, 0 destination policies\n")


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


def test_programs_get_json(tmp_path: Path) -> None:
    (tmp_path / "pool.yaml").write_text(POOL + "spec: {}\n")
    code, output = check("-f", str(tmp_path), "--output", "json")
    assert code == 1
    assert json.loads(output)["faults"]
