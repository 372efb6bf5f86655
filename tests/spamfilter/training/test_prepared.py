import numpy as np

from model_fixtures import small_mail


def test_taking_messages_keeps_what_belongs_together() -> None:
    mail = small_mail()
    lines = np.array([5, 2, 9])
    taken = mail.take(lines)
    assert len(taken) == 3
    for place, line in enumerate(lines):
        mine = slice(mail.words.bounds[line], mail.words.bounds[line + 1])
        its = slice(taken.words.bounds[place], taken.words.bounds[place + 1])
        assert np.array_equal(mail.words.values[mine], taken.words.values[its])
        assert (taken.sources[place], taken.spam[place]) == (mail.sources[line], mail.spam[line])
