import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from model_fixtures import composed, write_small_model
from paquebot.cli.main import main


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.npz"
    write_small_model(path)
    return path


def write_mail(path: Path, count: int) -> Path:
    lines = [
        {
            "id": each.ident,
            "label": "spam" if each.spam else "ham",
            "source": each.source,
            "split": "val" if number % 2 else "train",
            "raw": each.content.decode("latin-1"),
        }
        for number, each in enumerate(composed(4, count))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_figures_come_as_json_and_as_a_page(model: Path, tmp_path: Path) -> None:
    mail = write_mail(tmp_path / "mail.jsonl", 20)
    page = tmp_path / "page.html"
    asked = ["spam", "eval", str(mail), "--model", str(model), "--output", "json", "--html", str(page)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout).values()
    assert found["ranking"]["wanted"] == 20
    assert found["ranking"]["area"] > 0.5
    assert "<svg" in page.read_text()


def test_the_table_names_every_source(model: Path, tmp_path: Path) -> None:
    mail = write_mail(tmp_path / "mail.jsonl", 4)
    result = CliRunner().invoke(main, ["spam", "eval", str(mail), "--model", str(model), "--split", "val"])
    assert result.exit_code == 0, result.output
    assert "2 wanted, 2 unwanted" in result.stdout
    assert "REJECTED %" in result.stdout


def test_a_file_of_something_else_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "mail.jsonl").write_text("nothing\n")
    result = CliRunner().invoke(main, ["spam", "eval", str(tmp_path / "mail.jsonl"), "--model", str(model)])
    assert result.exit_code == 1
    assert "line 1" in result.stderr
