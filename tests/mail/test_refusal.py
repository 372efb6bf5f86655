"""A refusal carries its reply."""

import pytest

from paquebot.mail.refusal import ContentRefused, refuse
from paquebot.mail.reply import Reply


def test_refusing_raises_the_reply_and_reads_as_it() -> None:
    with pytest.raises(ContentRefused) as caught:
        refuse("5.6.0", "Broken")
    assert caught.value.reply == Reply(554, "5.6.0", "Broken")
    assert str(caught.value) == "554 5.6.0 Broken"
