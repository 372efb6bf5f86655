"""Times are written and read as Kubernetes does."""

import pytest

from paquebot_operator.times import read, written


def test_what_is_written_is_read_again() -> None:
    assert written(1_767_225_600) == "2026-01-01T00:00:00Z"
    assert read("2026-01-01T00:00:00Z").timestamp() == 1_767_225_600


def test_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="does not match"):
        read("2026-01-01")
