"""The walk over MIME parts: spans, limits, edge cases of boundaries, samples."""

import email
import email.mime.application
import email.mime.multipart
import email.mime.text
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.mime import LOOKALIKES_MAX, MimeLimits, children, head, sample, walk


def _lines(*lines: str) -> bytes:
    return "\r\n".join([*lines, ""]).encode()


_MIXED = _lines(
    "Content-Type: multipart/mixed; boundary=outer",
    "",
    "preamble",
    "--outer",
    "Content-Type: multipart/alternative; boundary=outer-inner",
    "",
    "--outer-inner",
    "",
    "plain",
    "--outer-inner ",
    "Content-Type: text/html",
    "",
    "<p>html</p>",
    "--outer-inner--",
    "--outer",
    "Content-Type: message/rfc822",
    "",
    "Subject: inside",
    "",
    "nested body",
    "--outer",
    'Content-Type: application/octet-stream; name="a.bin"',
    "Content-Transfer-Encoding: base64",
    "Content-Disposition: attachment",
    "",
    "AAEC",
    "Aw==",
    "--outer--",
    "epilogue",
)


def test_parts_come_in_order_with_their_depth_and_types() -> None:
    walked = walk(_MIXED)
    assert walked.faults == ()
    assert [(part.depth, part.content_type) for part in walked.parts] == [
        (0, "multipart/mixed"),
        (1, "multipart/alternative"),
        (2, "text/plain"),
        (2, "text/html"),
        (1, "message/rfc822"),
        (2, "text/plain"),
        (1, "application/octet-stream"),
    ]


def test_a_body_ends_before_the_line_end_of_its_delimiter() -> None:
    bodies = [_MIXED[part.body_start : part.end] for part in walk(_MIXED).parts]
    assert bodies[2] == b"plain"
    assert bodies[3] == b"<p>html</p>"
    assert bodies[5] == b"nested body"


def test_a_boundary_that_begins_like_another_does_not_end_it() -> None:
    content = _lines("Content-Type: multipart/mixed; boundary=a", "", "--a", "", "--ab", "--a-", "text --a", "--a--")
    walked = walk(content)
    assert len(walked.parts) == 2
    assert content[walked.parts[1].body_start : walked.parts[1].end] == b"--ab\r\n--a-\r\ntext --a"


@pytest.mark.parametrize(
    ("lines", "bodies", "faults"),
    [
        (["--a", "", "x"], [b"x\r\n"], ("A multipart is not closed.",)),
        (["nothing"], [], ("A multipart has no part.",)),
        (["--a--"], [], ("A multipart has no part.",)),
        (["--a", "--a", "", "x", "--a--"], [b"", b"x"], ()),
        (["--a", "", "--a--"], [b""], ()),
        (["--a\t ", "", "x", "--a-- \t", "--a", "", "after the end"], [b"x"], ()),
    ],
)
def test_odd_delimiters_are_read_by_the_letter(lines: list[str], bodies: list[bytes], faults: tuple[str, ...]) -> None:
    content = _lines("Content-Type: multipart/mixed; boundary=a", "", *lines)
    walked = walk(content)
    assert [content[part.body_start : part.end] for part in walked.parts[1:]] == bodies
    assert walked.faults == faults


def test_a_closing_delimiter_may_end_the_content_without_line_end() -> None:
    walked = walk(
        _lines("Content-Type: multipart/mixed; boundary=a", "", "--a", "", "x", "--a--").removesuffix(b"\r\n")
    )
    assert walked.faults == ()


def test_parts_of_a_digest_are_messages() -> None:
    content = _lines("Content-Type: multipart/digest; boundary=a", "", "--a", "", "Subject: s", "", "body", "--a--")
    assert [part.content_type for part in walk(content).parts] == [
        "multipart/digest",
        "message/rfc822",
        "text/plain",
    ]


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("Content-Transfer-Encoding: uuencode", "A Content-Transfer-Encoding is unknown."),
        (
            "Content-Type: multipart/mixed; boundary=a\r\nContent-Transfer-Encoding: base64",
            "A multipart has an encoding of its own.",
        ),
        (f"Content-Type: multipart/mixed; boundary={'b' * 71}", "A boundary is too long."),
        ("Content-Type: multipart/mixed", "A multipart has no part."),
    ],
)
def test_faults_are_told_in_sentences(section: str, fault: str) -> None:
    assert fault in walk(_lines(section, "", "body")).faults


def test_an_unreadable_content_type_means_plain_text() -> None:
    assert walk(_lines("Content-Type: ???", "", "body")).parts[0].content_type == "text/plain"


def _nested(depth: int) -> bytes:
    opened = [line for n in range(depth) for line in (f"Content-Type: multipart/mixed; boundary=b{n}", "", f"--b{n}")]
    return _lines(*opened, "", "leaf")


@pytest.mark.parametrize(("depth", "stopped"), [(4, False), (5, False), (6, True)])
def test_the_walk_stops_at_its_depth(depth: int, *, stopped: bool) -> None:
    walked = walk(_nested(depth), MimeLimits(depth_max=5))
    assert ("MIME parts are nested deeper than 5." in walked.faults) is stopped
    assert max(part.depth for part in walked.parts) == min(depth, 5)


@pytest.mark.parametrize(("count", "stopped"), [(8, False), (9, False), (10, True)])
def test_the_walk_stops_at_its_number_of_parts(count: int, *, stopped: bool) -> None:
    parts = ["--a", "", "x"] * count
    walked = walk(_lines("Content-Type: multipart/mixed; boundary=a", "", *parts, "--a--"), MimeLimits(parts_max=10))
    assert ("There are more than 10 MIME parts." in walked.faults) is stopped
    assert len(walked.parts) == min(count + 1, 10)


def test_a_bomb_of_parts_is_not_taken_apart() -> None:
    bomb = _lines("Content-Type: multipart/mixed; boundary=a", "") + b"--a\r\n" * 500_000
    tracemalloc.start()
    try:
        walked = walk(bomb)
        assert len(sample(bomb)) <= 262_144
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(walked.parts) == 500
    assert walked.faults == ("There are more than 500 MIME parts.",)
    assert peak < 3_000_000  # of 2.5 MB, half a million parts would be 300 MB


@pytest.mark.parametrize(("asked", "cut"), [(2, True), (3, True), (4, False)])
def test_no_more_parts_are_looked_for_than_asked(asked: int, *, cut: bool) -> None:
    content = _lines("Content-Type: multipart/mixed; boundary=a", "", *["--a", "", "x"] * 3, "--a--")
    found = children(content, walk(content).parts[0], asked)
    assert (len(found.spans), found.cut, found.closed) == (min(asked, 3), cut, not cut)


@pytest.mark.parametrize(("count", "cut"), [(LOOKALIKES_MAX, False), (LOOKALIKES_MAX + 1, True)])
def test_lines_that_only_look_like_a_delimiter_are_looked_at_so_often(count: int, *, cut: bool) -> None:
    lines = ["Content-Type: multipart/mixed; boundary=a", "", "--a", "", *["--ab"] * count, "--a--"]
    faults = walk(_lines(*lines)).faults
    assert ("Too many lines of a multipart look like its delimiter." in faults) is cut


def test_large_content_is_not_searched_at_every_depth() -> None:
    opened = [line for n in range(10) for line in (f"Content-Type: multipart/mixed; boundary=b{n}.", "", f"--b{n}.")]
    content = _lines(*opened, "", "x" * 900, *(f"--b{n}.--" for n in reversed(range(10))))
    assert walk(content).faults == ()
    walked = walk(content, MimeLimits(searched_max_bytes=3 * len(content)))
    assert walked.faults == ("MIME parts are nested deeper than 3.",)


@pytest.mark.parametrize(
    ("encoding", "body", "decoded"),
    [
        ("base64", "AAECAw==", b"\0\1\2\3"),
        ("base64", "AAEC\r\n Aw==", b"\0\1\2\3"),
        ("base64", "AAECA", b"\0\1\2"),
        ("base64", "AA!E*C\xff", b"\0\1\2"),  # hidden from who stops at it, read by who does not
        ("base64", "AAE=AAEC", b"\0\1"),
        ("base64", "=", b""),
        ("quoted-printable", "=41=\r\nB", b"AB\r\n"),
        ("8bit", "plain", b"plain\r\n"),
    ],
)
def test_the_head_of_a_part_is_decoded(encoding: str, body: str, decoded: bytes) -> None:
    content = _lines(f"Content-Transfer-Encoding: {encoding}", "", body)
    assert head(content, walk(content).parts[0], 100) == decoded


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
def test_the_head_is_never_longer_than_asked(encoding: str) -> None:
    content = _lines(f"Content-Transfer-Encoding: {encoding}", "", *["QUFB" * 18] * 50)
    assert 0 < len(head(content, walk(content).parts[0], 64)) <= 64


def _large() -> bytes:
    message = email.mime.multipart.MIMEMultipart()
    message["Subject"] = "large"
    message.attach(email.mime.text.MIMEText("hello\n" * 100_000))
    message.attach(email.mime.application.MIMEApplication(b"MZ" + bytes(800_000), name="a.exe"))
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_a_sample_keeps_the_structure_and_the_head_of_every_part() -> None:
    content = _large()
    sampled = sample(content, 65_536)
    assert len(sampled) <= 65_536
    walked = walk(sampled)
    assert walked.faults == ()
    assert [part.content_type for part in walked.parts] == [part.content_type for part in walk(content).parts]
    assert walked.parts[2].filename == "a.exe"
    assert head(sampled, walked.parts[2], 10) == b"MZ" + bytes(8)
    assert head(sampled, walked.parts[1], 7) == b"hello\r\n"


def test_a_sample_of_small_content_is_the_content() -> None:
    assert sample(_MIXED) == _MIXED


def test_a_sample_keeps_to_its_size_whatever_the_content() -> None:
    content = _lines("Content-Type: multipart/mixed; boundary=a", "", *["--a", "", "x"] * 400)
    assert len(sample(content, 1_000)) == 1_000
    assert len(sample(_lines("A: b", "", "x" * 900_000), 5_000)) <= 5_000


_PIECES = st.sampled_from(
    [
        b"--a",
        b"--a--",
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=a",
        b"Content-Type: message/rfc822",
        b"content-transfer-encoding: base64",
        b"text",
        b" ",
        b"--",
        b"\xff",
        b"Content-Disposition: x; filename*0*=b'c",
    ]
)


@given(st.lists(_PIECES, max_size=40))
def test_any_content_is_walked_in_bounds_and_without_exception(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    for part in walk(content, MimeLimits(6, 30)).parts:
        assert 0 <= part.start <= part.body_start <= part.end <= len(content)
        assert len(head(content, part, 16)) <= 16
    assert len(sample(content, 64)) <= 64


@given(
    st.lists(st.sampled_from(["x", "", "--b", "--b--", "long text with spaces"]), max_size=8),
    st.integers(1, 4),
)
def test_bodies_are_those_the_standard_library_wrote(lines: list[str], count: int) -> None:
    message = email.mime.multipart.MIMEMultipart()
    texts = ["\n".join([*lines, str(number)]) for number in range(count)]
    for text in texts:
        message.attach(email.mime.text.MIMEText(text))
    content = message.as_bytes().replace(b"\n", b"\r\n")
    leaves = walk(content).parts[1:]
    assert [content[part.body_start : part.end].replace(b"\r\n", b"\n").decode() for part in leaves] == texts
