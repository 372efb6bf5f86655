import numpy as np

from paquebot.spamfilter.training.evaluation import Answers, figures
from paquebot.spamfilter.training.page_of_figures import page_of

ANSWERS = Answers(
    np.array([-5, 3, 0, 6], np.float32),
    np.array([False, False, True, True]),
    np.array(["a", "a", "b", "<b>"]),
    np.array(["en", "en", "en", "de"]),
)


def test_shares_of_each_source_and_label_are_counted_at_the_levels() -> None:
    found = figures(ANSWERS, hold=0.5, reject=0.99)
    assert [(each.kind, each.spam, each.messages, each.held, each.rejected) for each in found.by_source] == [
        ("<b>", True, 1, 1.0, 1.0),
        ("a", False, 2, 0.5, 0.0),
        ("b", True, 1, 1.0, 0.0),
    ]
    assert not found.by_language  # too few to say anything


def test_the_page_stands_alone_and_escapes_names() -> None:
    text = page_of("Figures & more", {"<all>": figures(ANSWERS, 0.5, 0.99)})
    assert "<polyline" in text
    assert "&lt;b&gt;" in text
    assert "Figures &amp; more" in text
    assert "http" not in text
    assert "<script" not in text
