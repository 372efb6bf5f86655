"""A pull hands over what its consumer has, as long as it is wanted, and survives what ends requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from paquebot.queue.jetstream import JetStream, Message
from paquebot.queue.provision import consumer_config, ensure_consumers
from paquebot.queue.pull import BATCH, HEARTBEAT_S, Pull
from paquebot.queue.server import NatsServer
from tests_support import wait_for

STREAM = "MQ_mail_main_0"
CONSUMER = "p0l1"
READY = "mq.mail_main.0.r.0.1.other.example"


@dataclass
class Puller:
    """A pull and what it handed over."""

    pull: Pull = field(init=False)
    took: list[Message] = field(default_factory=list)
    wanted: bool = True
    missing: int = 0

    def on_missing(self) -> None:
        self.missing += 1

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.took]


MakePuller = Callable[[JetStream], Puller]


@pytest.fixture
async def make_puller() -> AsyncIterator[MakePuller]:
    made: list[Puller] = []

    def make(js: JetStream) -> Puller:
        puller = Puller()
        puller.pull = Pull(js, STREAM, CONSUMER, puller.took.append, lambda: puller.wanted, puller.on_missing)
        made.append(puller)
        return puller

    yield make
    for puller in made:
        await puller.pull.stop()


async def acknowledge(js: JetStream, messages: list[Message]) -> None:
    for message in messages:
        js.send(message.reply, b"+ACK")


async def test_more_than_a_request_asks_for_comes_whole_and_in_order(js: JetStream, make_puller: MakePuller) -> None:
    sent = [str(number).encode() for number in range(2 * BATCH + 10)]
    for payload in sent:
        await js.publish(READY, payload)
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: len(puller.took) >= len(sent))
    assert puller.payloads == sent
    assert [message.pending for message in puller.took] == list(range(len(sent) - 1, -1, -1))


async def test_more_octets_than_a_request_allows_come_by_the_next(js: JetStream, make_puller: MakePuller) -> None:
    sent = [bytes([number]) * 250_000 for number in range(20)]
    for payload in sent:
        await js.publish(READY, payload)
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: len(puller.took) >= len(sent))
    assert puller.payloads == sent


async def test_an_item_larger_than_a_request_allows_does_not_block_its_lane(
    js: JetStream, make_puller: MakePuller
) -> None:
    sent = [b"small", b"x" * (3 << 20), b"behind", b"y" * (2 << 20), b"last"]
    for payload in sent:
        await js.publish(READY, payload)
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: len(puller.took) >= len(sent))
    assert puller.payloads == sent
    assert puller.pull.number < 10  # it is not asked for over and over


async def test_a_message_tells_its_place_its_headers_and_how_often_it_came(
    js: JetStream, make_puller: MakePuller
) -> None:
    stored = await js.publish(READY, b"x", {"Nats-Msg-Id": "m1.1"})
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: len(puller.took) == 1)
    first = puller.took[0]
    assert (first.subject, first.seq, first.delivered) == (READY, stored.seq, 1)
    assert first.headers["Nats-Msg-Id"] == "m1.1"
    js.send(first.reply, b"-NAK")
    await wait_for(lambda: len(puller.took) == 2)
    assert (puller.took[1].seq, puller.took[1].delivered) == (stored.seq, 2)


async def test_nothing_comes_while_nothing_is_wanted(js: JetStream, make_puller: MakePuller) -> None:
    await js.publish(READY, b"x")
    puller = make_puller(js)
    puller.wanted = False
    await puller.pull.start()
    puller.pull.look(asyncio.get_running_loop().time())
    await asyncio.sleep(0.3)
    assert puller.took == []
    puller.wanted = True
    puller.pull.look(asyncio.get_running_loop().time())
    await wait_for(lambda: puller.payloads == [b"x"])


async def test_a_deleted_consumer_is_missing_and_goes_on_once_it_is_made_again(
    js: JetStream, make_puller: MakePuller
) -> None:
    puller = make_puller(js)
    await puller.pull.start()
    await asyncio.sleep(0.1)
    await js.request(f"CONSUMER.DELETE.{STREAM}.{CONSUMER}")
    await wait_for(lambda: puller.missing)
    puller.pull.ask()
    await wait_for(lambda: puller.missing > 1)
    await ensure_consumers(js, "mail_main", 0)
    await js.publish(READY, b"x")
    puller.pull.ask()
    await wait_for(lambda: puller.payloads == [b"x"])


async def test_what_was_not_acknowledged_comes_again_from_a_restarted_server(
    js: JetStream, nats: NatsServer, make_puller: MakePuller
) -> None:
    for payload in (b"settled", b"in hand", b"waits"):
        await js.publish(READY, payload)
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: len(puller.took) == 3)
    await acknowledge(js, puller.took[:1])
    async with asyncio.timeout(20):
        while (await js.request(f"STREAM.INFO.{STREAM}"))["state"]["messages"] > 2:
            await asyncio.sleep(0.02)
    nats.kill()
    await wait_for(lambda: not js.connected)
    puller.took.clear()
    await asyncio.to_thread(nats.start)
    await wait_for(lambda: js.connected)
    puller.pull.forget_request()
    puller.pull.ask()
    await wait_for(lambda: puller.missing)  # consumers live in memory
    await ensure_consumers(js, "mail_main", 0)
    puller.pull.ask()
    await wait_for(lambda: puller.payloads == [b"in hand", b"waits"])


async def test_one_of_two_gets_all_until_it_is_unpinned(js: JetStream, connect, make_puller: MakePuller) -> None:
    first, second = make_puller(js), make_puller(await connect("deliverer"))
    await js.publish(READY, b"1")
    await first.pull.start()
    await wait_for(lambda: first.payloads == [b"1"])
    await second.pull.start()
    for payload in (b"2", b"3"):
        await js.publish(READY, payload)
    await wait_for(lambda: first.payloads == [b"1", b"2", b"3"])
    assert second.took == []
    await first.pull.stop()
    await js.request(f"CONSUMER.UNPIN.{STREAM}.{CONSUMER}", {"group": "own"})
    await js.publish(READY, b"4")
    await wait_for(lambda: second.payloads == [b"4"])
    assert first.payloads == [b"1", b"2", b"3"]


async def test_a_lost_pin_is_given_up(js: JetStream, connect, make_puller: MakePuller) -> None:
    first, second = make_puller(js), make_puller(await connect("deliverer"))
    await js.publish(READY, b"1")
    await first.pull.start()
    await wait_for(lambda: first.payloads == [b"1"])
    await first.pull.stop()
    await js.request(f"CONSUMER.UNPIN.{STREAM}.{CONSUMER}", {"group": "own"})
    await second.pull.start()
    await js.publish(READY, b"2")
    await wait_for(lambda: second.payloads == [b"2"])
    assert first.pull.pin
    await first.pull.start()
    await js.publish(READY, b"3")
    await wait_for(lambda: first.pull.pin == "" and second.payloads == [b"2", b"3"])
    assert first.payloads == [b"1"]


async def test_what_is_reported_in_progress_does_not_come_again_until_the_reports_stop(
    js: JetStream, make_puller: MakePuller
) -> None:
    await js.request(f"CONSUMER.DELETE.{STREAM}.{CONSUMER}")
    config = consumer_config("mail_main", 0, 1) | {"ack_wait": 2 * 10**9}
    subject = f"CONSUMER.CREATE.{STREAM}.{CONSUMER}.{config['filter_subject']}"
    await js.request(subject, {"stream_name": STREAM, "config": config, "action": ""})
    await js.publish(READY, b"x")
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: puller.took)
    assert puller.pull.pin
    for _ in range(10):
        js.send(puller.took[0].reply, b"+WPI")
        await asyncio.sleep(0.5)
    assert len(puller.took) == 1
    await wait_for(lambda: len(puller.took) == 2)
    assert puller.took[1].delivered == 2


async def test_a_new_pull_does_not_revive_the_requests_of_one_before_it(js: JetStream, make_puller: MakePuller) -> None:
    first, second = make_puller(js), make_puller(js)
    await first.pull.start()
    await first.pull.stop()
    await second.pull.start()
    async with asyncio.timeout(20):
        while (await js.request(f"CONSUMER.INFO.{STREAM}.{CONSUMER}"))["num_waiting"] != 1:
            await asyncio.sleep(0.1)
    assert first.pull.inbox != second.pull.inbox


async def test_a_request_that_fell_silent_is_replaced(js: JetStream, make_puller: MakePuller) -> None:
    puller = make_puller(js)
    await puller.pull.start()
    number, heard = puller.pull.number, puller.pull.heard
    puller.pull.look(heard + 2 * HEARTBEAT_S)
    assert puller.pull.number == number
    puller.pull.look(heard + 2 * HEARTBEAT_S + 2)
    assert puller.pull.number == number + 1
    await js.publish(READY, b"x")
    await wait_for(lambda: puller.payloads == [b"x"])


async def test_a_heartbeat_shows_that_the_open_request_lives(js: JetStream, make_puller: MakePuller) -> None:
    puller = make_puller(js)
    await puller.pull.start()
    number, asked = puller.pull.number, puller.pull.heard
    await wait_for(lambda: puller.pull.heard > asked)
    assert puller.pull.number == number


async def test_a_refused_request_is_not_repeated_at_once(js: JetStream, make_puller: MakePuller) -> None:
    await js.request(f"CONSUMER.DELETE.{STREAM}.{CONSUMER}")
    config = consumer_config("mail_main", 0, 1) | {"max_batch": 1}
    subject = f"CONSUMER.CREATE.{STREAM}.{CONSUMER}.{config['filter_subject']}"
    await js.request(subject, {"stream_name": STREAM, "config": config, "action": ""})
    puller = make_puller(js)
    await puller.pull.start()
    await wait_for(lambda: puller.pull.left == 0)
    await asyncio.sleep(0.2)
    assert puller.pull.number == 1
    assert puller.missing == 0


async def test_a_stopped_pull_takes_nothing_more(js: JetStream, make_puller: MakePuller) -> None:
    puller = make_puller(js)
    await puller.pull.start()
    await puller.pull.stop()
    await js.publish(READY, b"x")
    puller.pull.look(asyncio.get_running_loop().time() + 60)
    await asyncio.sleep(0.2)
    assert puller.took == []
