import numpy as np
import pytest

from paquebot.spamfilter.grams import SLOTS
from paquebot.spamfilter.nets import BAG_DOUBT, Net, from_arrays, to_arrays


def net() -> Net:
    rng = np.random.default_rng(3)
    row_of_slot = np.zeros(SLOTS, np.uint32)
    row_of_slot[[5, 9, 1000]] = [1, 2, 3]
    rows = np.concatenate((np.zeros((1, 4)), rng.standard_normal((3, 4)))).astype(np.float32)
    first = rng.standard_normal((4 + 2, 8)).astype(np.float32)
    return Net(row_of_slot, rows, first, np.zeros(8, np.float32), np.ones(8, np.float32), 0.5)


def test_a_bag_is_the_mean_of_rows_each_once_with_some_doubt() -> None:
    made = net()
    assert made.bag(np.array([5, 9, 5, 77], np.uint32)) == pytest.approx(
        8 * (made.rows[1] + made.rows[2]) / (2 + BAG_DOUBT)
    )
    assert not made.bag(np.array([77], np.uint32)).any()
    assert not made.bag(np.array([], np.uint32)).any()


def test_storing_costs_little_precision() -> None:
    made = net()
    back = from_arrays(to_arrays(made, "words"), "words")
    inputs = np.concatenate((made.bag(np.array([5, 1000], np.uint32)), [1, -1])).astype(np.float32)[None]
    other = np.concatenate((back.bag(np.array([5, 1000], np.uint32)), [1, -1])).astype(np.float32)[None]
    assert back.logits(other) == pytest.approx(made.logits(inputs), rel=0.02)


def test_arrays_that_do_not_fit_are_refused() -> None:
    arrays = to_arrays(net(), "words")
    with pytest.raises(ValueError, match="do not fit"):
        from_arrays(arrays | {"words.scales": arrays["words.scales"][:1]}, "words")
    with pytest.raises(ValueError, match="do not fit"):
        from_arrays(arrays | {"words.slots": np.array([1, 2, SLOTS], np.uint32)}, "words")
    with pytest.raises(KeyError):
        from_arrays(arrays, "letters")
