import numpy as np

from model_fixtures import small_mail
from paquebot.spamfilter.training.folds import FOLDS, fold_of, joined, leave_out
from paquebot.spamfilter.training.learner import small_recipes


def test_a_source_is_in_one_fold_and_collections_with_both_labels_are_apart() -> None:
    sources = np.array(["b", "b", "a", "a", "c", "tx-1", "tx-2", "stories-x", "stories-y", "stories-z"])
    spam = np.array([True, False, True, False, False, False, False, True, False, True])
    fold = fold_of(sources, spam)
    assert len({int(fold[0]), int(fold[2]), int(fold[4])}) == 3
    assert fold[0] == fold[1]
    assert fold[5] != fold[6]
    assert len(set(fold[7:].tolist())) == FOLDS


def test_every_message_is_judged_once_by_a_model_without_its_source() -> None:
    mail = small_mail()
    heard: list[str] = []
    parts = list(leave_out(mail, small_recipes(), heard.append))
    assert sorted(np.concatenate([part.lines for part in parts]).tolist()) == list(range(len(mail)))
    assert len(heard) == FOLDS
    assert not np.isnan(joined(parts, len(mail))).any()
