import numpy as np

from model_fixtures import small_mail
from paquebot.spamfilter.training.fit import Recipe, vocabulary, weights
from paquebot.spamfilter.training.prepared import Ragged


def test_a_row_needs_enough_messages_of_enough_sources() -> None:
    slots = Ragged(np.array([7, 8, 7, 8, 7, 9, 7, 9, 9], np.uint32), np.array([0, 2, 4, 6, 8, 9]))
    sources = np.array(["a", "a", "b", "b", "b"])
    rows = vocabulary(slots, sources, Recipe(messages_min=2, sources_min=2))
    assert np.flatnonzero(rows).tolist() == [7]
    rows = vocabulary(slots, sources, Recipe(messages_min=2, sources_min=1))
    assert np.flatnonzero(rows).tolist() == [7, 8, 9]
    assert np.flatnonzero(vocabulary(slots, sources, Recipe(messages_min=2, sources_min=1, rows_max=1))).tolist() == [7]


def test_labels_weigh_the_same_and_large_sources_less_for_each_message() -> None:
    mail = small_mail()
    weight = weights(mail)
    assert np.isclose(weight[mail.spam].sum(), weight[~mail.spam].sum())
    names, counts = np.unique(mail.sources, return_counts=True)
    large, small = names[counts.argmax()], names[counts.argmin()]
    if counts.max() > counts.min():
        assert weight[mail.sources == large].max() <= weight[mail.sources == small].max() * 1.5
