"""New mail is refused before the store is full."""

from paquebot.queue.admission import Admission
from paquebot.queue.jetstream import JetStream


async def test_the_figures_come_from_the_server(js: JetStream, connect) -> None:
    admission = Admission(await connect("submission"))
    await js.publish("mq.mail_main.0.r.0.1.other.example", b"x" * 1_000_000)
    await admission.look(["mail_main"])
    assert 0 < admission.used < 0.1
    assert 0 < admission.pools["mail_main"] <= admission.used
    assert admission.check("mail_main") is None


async def test_above_its_share_the_reply_says_what_is_full(js: JetStream) -> None:
    admission = Admission(js, used=0.5, pools={"big": 0.4, "small": 0.1})
    assert str(admission.check("big")).startswith("452 4.3.1 Pool big holds 40%")
    assert admission.check("small") is None
    admission.used = 0.71
    assert str(admission.check("small")).startswith("452 4.3.1 The queue is 71% full")
