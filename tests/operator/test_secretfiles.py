"""A Secret is read as it was written, and what is broken in it hides nothing else."""

from paquebot_operator.secretfiles import files_of, secret_of


def test_what_is_written_is_read_again() -> None:
    files = {"tls.key": b"\x00\xff", "ca.crt": b""}
    assert files_of(secret_of("mail-system", "own", "identity", files)) == files


def test_what_is_no_base64_counts_as_not_there() -> None:
    assert files_of({"data": {"tls.key": "***", "ca.crt": None, "tls.crt": "aGk="}}) == {"tls.crt": b"hi"}


def test_a_secret_that_is_not_there_or_empty_has_no_files() -> None:
    assert files_of(None) == files_of({"metadata": {}}) == files_of({"data": None}) == {}
