import json
import lzma
from pathlib import Path

import pytest

from paquebot.spamfilter.training.corpus import read_files
from paquebot.spamfilter.training.refusal import TrainingRefused

LINE = {"id": "1", "label": "spam", "source": "x", "split": "val", "raw": "Subject: Gr\xfc\xdfe\n\nbody\n"}


def test_messages_are_read_with_their_octets_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(lzma.compress(json.dumps(LINE).encode() + b"\n"))
    (message,) = read_files([path])
    assert message.content == b"Subject: Gr\xfc\xdfe\r\n\r\nbody\r\n"
    assert (message.spam, message.held_out, message.source) == (True, True, "x")


@pytest.mark.parametrize("line", ["no json", "{}", '{"id": 1}', "[]", json.dumps(LINE | {"raw": "\u20ac"})])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + line + "\n")
    with pytest.raises(TrainingRefused, match=r"a\.jsonl, line 2: .*label"):
        list(read_files([path]))
