from pathlib import Path

import numpy as np

from paquebot.spamfilter.training.store import write


def test_the_same_arrays_make_the_same_octets(tmp_path: Path) -> None:
    one = write({"a": np.arange(3), "b": np.ones(2)}, tmp_path / "x" / "one.npz")
    two = write({"b": np.ones(2), "a": np.arange(3)}, tmp_path / "two.npz")
    assert one == two
    assert (tmp_path / "x" / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert not list(tmp_path.rglob("*.part"))
