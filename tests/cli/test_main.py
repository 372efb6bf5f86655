"""Every command of the table is there and can tell its help."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from paquebot.cli.main import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_tells_its_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_section_in_the_docs(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    assert f"## paquebot {name}\n" in page.read_text()


def test_without_a_platform_a_command_says_how_to_start_one(tmp_path) -> None:
    result = CliRunner().invoke(main, ["queue", "list", "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert "start one with `paquebot up -f examples`" in result.output
