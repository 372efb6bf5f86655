"""Options that say which mail is meant: a time from which on is an age, refused when it cannot be one."""

import time
from datetime import UTC, datetime, timedelta

import click
import pytest
from click.testing import CliRunner

from paquebot.cli.selecting import takes_selector
from paquebot.mail.selector import Selector


@click.command()
@takes_selector
def told(selector: Selector) -> None:
    """Tell the age that was meant."""
    click.echo(selector.younger_ms)


def test_since_means_what_is_younger_than_that_and_times_are_utc() -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for text in (hour_ago.isoformat(), hour_ago.replace(tzinfo=None).isoformat()):
        before_s = time.monotonic()
        age_ms = int(CliRunner().invoke(told, ["--since", text]).output)
        assert 3_600_000 <= age_ms <= 3_600_000 + (time.monotonic() - before_s + 60) * 1000


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--since", "yesterday"), "is no time such as 2026-11-26T18:00:00Z"),
        (("--since", "2999-01-01T00:00:00Z"), "is still to come"),
        (("--since", "2026-01-01T00:00:00Z", "--younger", "2h"), "say the same: give one of them"),
    ],
)
def test_what_is_no_such_time_is_refused(arguments: tuple[str, ...], fault: str) -> None:
    refused = CliRunner().invoke(told, list(arguments))
    assert refused.exit_code == 2
    assert fault in refused.output
