import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from model_fixtures import composed, write_small_model
from paquebot.cli.main import main


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.npz"
    write_small_model(path)
    return path


def line(ident: object, content: bytes) -> str:
    return json.dumps({"id": ident, "raw_b64": base64.b64encode(content).decode()})


def score(model: Path, text: str, *more: str) -> Result:
    return CliRunner().invoke(main, ["spam", "score", "--model", str(model), *more], input=text)


def test_every_message_is_answered_with_score_verdict_and_reasons(model: Path) -> None:
    mail = composed(3, 30)
    result = score(model, "\n".join(line(each.ident, each.content) for each in mail))
    answers = [json.loads(each) for each in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [each["id"] for each in answers] == [each.ident for each in mail]
    assert all(0 <= each["score"] <= 1 and each["verdict"] in {"accept", "hold", "reject"} for each in answers)
    assert all({"rule", "weight", "text"} == set(reason) for each in answers for reason in each["reasons"])


def test_line_ends_of_files_make_no_difference(model: Path) -> None:
    content = composed(3, 1)[0].content
    answers = score(model, line(1, content) + "\n" + line(2, content.replace(b"\r\n", b"\n"))).stdout.splitlines()
    assert json.loads(answers[0])["score"] == json.loads(answers[1])["score"]


def test_a_broken_line_is_named_and_the_others_go_on(model: Path) -> None:
    good = line("a", b"Subject: x\r\n\r\nhello\r\n")
    result = score(model, f'{good}\nno json\n{{"id": 1}}\n{{"id": 1, "raw_b64": "%%"}}\n\n[1]\n{good}\n')
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert [f"line {number}:" in result.stderr for number in (2, 3, 4, 6, 7)] == [True, True, True, True, False]
    assert "'raw_b64' is missing" in result.stderr


def test_several_processes_answer_the_same_in_the_same_order(model: Path) -> None:
    text = "\n".join(line(each.ident, each.content) for each in composed(3, 40))
    assert score(model, text, "--jobs", "2").stdout == score(model, text).stdout


def test_without_a_model_the_answer_says_what_to_do(tmp_path: Path) -> None:
    result = score(tmp_path / "none.npz", "")
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
