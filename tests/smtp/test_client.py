from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.mail.envelope import Envelope
from paquebot.mail.reply import Reply
from paquebot.smtp.client import (
    BEFORE_FINAL_DOT,
    BrokenSession,
    ClientSession,
    Dialogue,
    Need,
    Timeout,
    Transaction,
    TransactionResult,
)
from paquebot.smtp.events import Content, DataStart, Event, MailFrom, RcptTo, StartTls
from paquebot.smtp.server import GO_AHEAD, ServerLimits, ServerSession

T = TypeVar("T")
MESSAGE = Transaction("a@a.test", ("b@b.test", "c@b.test"), b"Subject: x\r\n\r\n.hi\r\n", b"Received: y\r\n")
SENT = b"Received: y\r\nSubject: x\r\n\r\n..hi\r\n.\r\n"
PIPELINING = {"PIPELINING": ""}


def play(
    session: ClientSession, dialogue: Dialogue[T], turns: Iterable[bytes], size: int = 1 << 30
) -> tuple[T, list[bytes], list[Need]]:
    """Give the server's turns, one for each that the client takes; EOF after the last. b"" is a timeout."""
    said: list[bytes] = []
    needs: list[Need] = []
    waiting: list[bytes] = []
    coming = iter(turns)
    try:
        while True:
            need = dialogue.send(None)
            if not needs or needs[-1] is not need:
                needs.append(need)
            out = session.data_to_send()
            if out:
                said.append(out)
            if need is BEFORE_FINAL_DOT or need is Timeout.BLOCK:
                continue
            if not waiting:
                turn = next(coming, None)
                if turn is None:
                    session.receive_eof()
                    continue
                if not turn:
                    session.timed_out()
                    continue
                waiting = [turn[start : start + size] for start in range(0, len(turn), size)]
            session.receive_data(waiting.pop(0))
    except StopIteration as stop:
        said += filter(None, [session.data_to_send()])
        return stop.value, said, needs


def session_with(extensions: dict[str, str]) -> ClientSession:
    session = ClientSession()
    session.extensions = dict(extensions)
    return session


def send(
    turns: Iterable[bytes], extensions: dict[str, str] = PIPELINING, wanted: Transaction = MESSAGE
) -> tuple[TransactionResult, list[bytes], ClientSession]:
    session = session_with(extensions)
    result, said, _ = play(session, session.transaction(wanted), turns)
    return result, said, session


# Greeting, hello, STARTTLS, goodbye.


@pytest.mark.parametrize("greeting", [b"220 hi\r\n", b"220-hi\r\n220 there\r\n"])
def test_a_greeting_is_waited_for(greeting: bytes) -> None:
    session = ClientSession()
    reply, said, needs = play(session, session.greeting(), [greeting])
    assert (reply.code, said, needs) == (220, [], [Timeout.GREETING])
    assert session.reusable


@pytest.mark.parametrize("code", [421, 450, 521, 554])
def test_a_refusing_greeting_is_a_reply_and_the_session_is_over(code: int) -> None:
    session = ClientSession()
    reply, _, _ = play(session, session.greeting(), [b"%d go away\r\n" % code])
    assert reply.code == code
    assert not session.reusable


def test_ehlo_tells_the_extensions() -> None:
    session = ClientSession()
    turn = b"250-mx.test hello\r\n250-pipelining\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
    reply, said, _ = play(session, session.ehlo("c.test"), [turn])
    assert (reply.code, said) == (250, [b"EHLO c.test\r\n"])
    assert session.extensions == {"PIPELINING": "", "SIZE": "1000", "AUTH": "PLAIN LOGIN", "8BITMIME": ""}


def test_helo_is_tried_only_where_ehlo_is_refused_for_good() -> None:
    session = ClientSession()
    reply, said, _ = play(session, session.ehlo("c.test"), [b"502 what?\r\n", b"250 mx.test\r\n"])
    assert (reply.code, said) == (250, [b"EHLO c.test\r\n", b"HELO c.test\r\n"])
    assert session.extensions == {}
    for refusal in (b"421 later\r\n", b"450 later\r\n"):
        session = ClientSession()
        reply, said, _ = play(session, session.ehlo("c.test"), [refusal])
        assert (str(reply)[4:], said) == ("later", [b"EHLO c.test\r\n"])


def test_starttls_makes_everything_before_it_void() -> None:
    session = session_with({"SIZE": "1"})
    reply, said, _ = play(session, session.starttls(), [b"220 go\r\n"])
    assert (reply.code, said) == (220, [b"STARTTLS\r\n"])
    assert not session.reusable
    session.tls_started()
    assert (session.tls, session.extensions, session.reusable) == (True, {}, True)


def test_a_refused_starttls_leaves_the_session_in_the_clear() -> None:
    session = session_with({"STARTTLS": ""})
    reply, _, _ = play(session, session.starttls(), [b"454 4.7.0 no\r\n"])
    assert (reply.enhanced, session.tls, session.reusable) == ("4.7.0", False, True)


def test_octets_in_the_clear_behind_starttls_break_the_session() -> None:
    session = ClientSession()
    with pytest.raises(BrokenSession, match="behind the reply to STARTTLS"):
        play(session, session.starttls(), [b"220 go\r\n250 injected\r\n"])
    late = ClientSession()
    play(late, late.starttls(), [b"220 go\r\n"])
    late.receive_data(b"250 injected\r\n")
    late.tls_started()
    with pytest.raises(BrokenSession, match="behind the reply to STARTTLS"):
        play(late, late.ehlo("c.test"), [])


def test_nothing_is_said_between_starttls_and_the_handshake() -> None:
    session = ClientSession()
    play(session, session.starttls(), [b"220 go\r\n"])
    with pytest.raises(BrokenSession, match="handshake"):
        play(session, session.ehlo("c.test"), [])


def test_quit_ends_the_session() -> None:
    session = ClientSession()
    reply, said, needs = play(session, session.quit(), [b"221 bye\r\n"])
    assert (reply.code, said, needs) == (221, [b"QUIT\r\n"], [Timeout.QUIT])
    assert not session.reusable


# Transactions.


def test_a_pipelined_transaction_takes_two_turns() -> None:
    result, said, session = send([b"250 m\r\n250 r1\r\n250 r2\r\n354 d\r\n", b"250 2.0.0 kept\r\n"])
    assert said == [b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<c@b.test>\r\nDATA\r\n", SENT]
    assert result.accepted == (True, True)
    assert result.final == Reply(250, "2.0.0", "kept")
    assert session.reusable


def test_without_pipelining_each_reply_is_waited_for() -> None:
    result, said, _ = send([b"250 m\r\n", b"250 r1\r\n", b"550 r2\r\n", b"354 d\r\n", b"250 ok\r\n"], {})
    assert len(said) == 5
    assert result.accepted == (True, False)


def test_a_transaction_names_what_it_waits_for() -> None:
    session = session_with({})
    turns = [b"250 m\r\n", b"250 r1\r\n", b"250 r2\r\n", b"354 d\r\n", b"250 ok\r\n"]
    _, _, needs = play(session, session.transaction(MESSAGE), turns)
    assert needs == [Timeout.MAIL, Timeout.RCPT, Timeout.DATA, BEFORE_FINAL_DOT, Timeout.FINAL_DOT]


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (Timeout.GREETING, 300),
        (Timeout.MAIL, 300),
        (Timeout.RCPT, 300),
        (Timeout.DATA, 120),
        (Timeout.BLOCK, 180),
        (Timeout.FINAL_DOT, 600),
    ],
)
def test_timeouts_are_those_of_the_rfc(kind: Timeout, seconds: int) -> None:
    assert kind.seconds == seconds


def test_no_dot_is_sent_when_the_lease_is_lost() -> None:
    session = session_with(PIPELINING)
    dialogue = session.transaction(MESSAGE)
    next(dialogue)
    session.data_to_send()
    session.receive_data(b"250 m\r\n250 r1\r\n250 r2\r\n354 d\r\n")
    assert next(dialogue) is BEFORE_FINAL_DOT
    assert session.data_to_send() == b""
    dialogue.close()
    assert not session.reusable


@pytest.mark.parametrize("extensions", [PIPELINING, {}])
def test_a_refused_mail_says_nothing_about_recipients(extensions: dict[str, str]) -> None:
    replies = [b"550 5.7.1 no\r\n", b"503 m\r\n", b"503 m\r\n", b"503 m\r\n"]
    result, _, session = send([b"".join(replies)] if extensions else replies[:1], extensions)
    assert result == TransactionResult(Reply(550, "5.7.1", "no"), (None, None))
    assert session.reusable


def test_data_let_in_though_all_recipients_were_refused_gets_a_lone_dot() -> None:
    result, said, session = send([b"250 m\r\n550 r\r\n550 r\r\n354 d\r\n", b"554 no\r\n"])
    assert said[1] == b".\r\n"
    assert result.final is None
    assert result.accepted == (False, False)
    assert [reply.code for reply in result.recipients if reply] == [550, 550]
    assert session.reusable


def test_without_pipelining_data_is_not_tried_for_nobody() -> None:
    result, said, _ = send([b"250 m\r\n", b"550 r\r\n", b"450 r\r\n"], {})
    assert len(said) == 3
    assert result.data is None


def test_a_refused_data_is_told() -> None:
    result, _, session = send([b"250 m\r\n250 r\r\n250 r\r\n451 4.3.0 later\r\n"])
    assert result.data == Reply(451, "4.3.0", "later")
    assert (result.final, result.in_doubt) == (None, False)
    assert session.reusable


def test_the_next_transaction_resets_one_that_ended_half_way() -> None:
    session = session_with(PIPELINING)
    play(session, session.transaction(MESSAGE), [b"250 m\r\n250 r\r\n250 r\r\n451 later\r\n"])
    assert "half-done" in repr(session)
    turns = [b"250 reset\r\n", b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n", b"250 ok\r\n"]
    result, said, _ = play(session, session.transaction(MESSAGE), turns)
    assert said[0] == b"RSET\r\n"
    assert result.accepted == (True, True)
    _, said, _ = play(session, session.transaction(MESSAGE), turns[1:])
    assert said[0].startswith(b"MAIL ")


def test_a_421_to_the_reset_is_the_reply_to_the_transaction() -> None:
    session = session_with(PIPELINING)
    play(session, session.transaction(MESSAGE), [b"250 m\r\n250 r\r\n250 r\r\n451 later\r\n"])
    result, _, _ = play(session, session.transaction(MESSAGE), [b"421 bye\r\n"])
    assert result == TransactionResult(Reply(421, "", "bye"), (None, None))


def test_a_refused_reset_breaks_the_session() -> None:
    session = session_with(PIPELINING)
    play(session, session.transaction(MESSAGE), [b"250 m\r\n250 r\r\n250 r\r\n451 later\r\n"])
    with pytest.raises(BrokenSession, match="RSET was refused"):
        play(session, session.transaction(MESSAGE), [b"502 no\r\n"])


def test_rset_can_be_asked_alone() -> None:
    session = session_with({})
    play(session, session.transaction(MESSAGE), [b"250 m\r\n", b"550 r\r\n", b"550 r\r\n"])
    reply, said, _ = play(session, session.rset(), [b"250 ok\r\n"])
    assert (reply.code, said) == (250, [b"RSET\r\n"])
    assert "half-done" not in repr(session)


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([b"421 m\r\n"], (421, [None, None], None, None)),
        ([b"250 m\r\n421 r\r\n"], (250, [421, None], None, None)),
        ([b"250 m\r\n250 r\r\n421 r\r\n"], (250, [250, 421], None, None)),
        ([b"250 m\r\n250 r\r\n250 r\r\n421 d\r\n"], (250, [250, 250], 421, None)),
        ([b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n", b"421 f\r\n"], (250, [250, 250], 354, 421)),
    ],
)
def test_a_421_may_come_at_any_point(replies: list[bytes], expected: tuple[object, ...]) -> None:
    result, _, session = send(replies)

    def code(reply: Reply | None) -> int | None:
        return reply.code if reply else None

    found = (code(result.mail), [code(each) for each in result.recipients], code(result.data), code(result.final))
    assert found == expected
    assert not result.in_doubt
    assert not session.reusable


def test_unknown_codes_count_by_their_first_digit() -> None:
    result, _, _ = send([b"259 m\r\n251 r\r\n459 r\r\n399 d\r\n", b"299 f\r\n"])
    assert result.accepted == (True, False)


@pytest.mark.parametrize("lost", [[], [b""], [b"nonsense\r\n"], [b"250-kept"], [b"354 what\r\n"]])
def test_a_lost_reply_to_the_final_dot_is_in_doubt(lost: list[bytes]) -> None:
    result, _, session = send([b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n", *lost])
    assert result.in_doubt
    assert result.final is None
    assert not session.reusable


@pytest.mark.parametrize("turns", [[], [b""], [b"250 m\r\n"], [b"250 m\r\n250 r\r\n250 r\r\n"], [b"hi\r\n"]])
def test_what_breaks_before_the_final_dot_is_no_doubt(turns: list[bytes]) -> None:
    with pytest.raises(BrokenSession):
        send(turns)


def test_a_server_that_hangs_up_after_354_broke_the_session() -> None:
    session = session_with(PIPELINING)
    dialogue = session.transaction(MESSAGE)
    next(dialogue)
    session.receive_data(b"250 m\r\n250 r1\r\n250 r2\r\n354 d\r\n")
    assert next(dialogue) is BEFORE_FINAL_DOT
    session.receive_eof()
    with pytest.raises(BrokenSession, match="connection closed while sending"):
        next(dialogue)


def test_a_server_that_answers_before_it_is_asked_is_not_trusted() -> None:
    with pytest.raises(BrokenSession, match="out of turn"):
        send([b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n250 kept, honestly\r\n"])
    result, _, session = send([b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n552 5.3.4 too much\r\n"])
    assert (result.final, result.in_doubt) == (Reply(552, "5.3.4", "too much"), False)
    assert not session.reusable


@pytest.mark.parametrize("turn", [b"354 m\r\n", b"250 m\r\n354 r\r\n", b"250 m\r\n250 r\r\n250 r\r\n250 d\r\n"])
def test_replies_out_of_step_break_the_session(turn: bytes) -> None:
    with pytest.raises(BrokenSession, match="unexpected reply"):
        send([turn])


def test_idle_sessions_that_hear_something_are_not_reused() -> None:
    for happen in (
        lambda session: session.receive_data(b"421 idle\r\n"),
        lambda session: session.receive_eof(),
    ):
        session = session_with({})
        assert session.reusable
        happen(session)
        assert not session.reusable


# What is not sent.


def test_what_the_host_cannot_take_is_refused_here() -> None:
    result, said, session = send([], {"SIZE": "10"})
    assert (result.mail is not None, result.local, said) == (True, True, [])
    assert session.reusable
    result, _, _ = send([], {}, replace(MESSAGE, eight_bit=True))
    assert result.mail is not None
    assert result.mail.enhanced == "5.6.3"


def test_an_address_that_cannot_be_sent_leaves_the_others_alone() -> None:
    wanted = replace(MESSAGE, recipients=("ä@b.test", "b@b.test", "x>\r\nRSET"))
    result, said, _ = send([b"250 m\r\n250 r\r\n354 d\r\n", b"250 ok\r\n"], PIPELINING, wanted)
    assert said[0].count(b"RCPT") == 1
    assert result.accepted == (False, True, False)
    nobody, said, _ = send([], PIPELINING, replace(MESSAGE, recipients=("ä@b.test",)))
    assert (nobody.local, nobody.mail, said) == (True, None, [])
    assert [reply.enhanced for reply in nobody.recipients if reply] == ["5.6.7"]


# Large contents.


def test_large_content_goes_in_blocks_and_the_dot_comes_last() -> None:
    wanted = replace(MESSAGE, content=(b"." * 70 + b"\r\n") * 10_000)
    session = session_with(PIPELINING)
    turns = [b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n", b"250 ok\r\n"]
    result, said, needs = play(session, session.transaction(wanted), turns)
    assert result.accepted == (True, True)
    assert needs[-3:] == [Timeout.BLOCK, BEFORE_FINAL_DOT, Timeout.FINAL_DOT]
    assert all(len(block) <= 262_144 + 3 for block in said)
    assert b"".join(said[1:]) == wanted.prefix + (b"." * 71 + b"\r\n") * 10_000 + b".\r\n"


def test_a_server_that_refuses_in_the_middle_of_content_is_heard() -> None:
    wanted = replace(MESSAGE, content=b"x\r\n" * 300_000)
    session = session_with(PIPELINING)
    dialogue = session.transaction(wanted)
    next(dialogue)
    session.receive_data(b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n")
    assert next(dialogue) is Timeout.BLOCK
    session.receive_data(b"452 4.3.1 disk full\r\n")
    with pytest.raises(StopIteration) as stop:
        next(dialogue)
    assert stop.value.value.final == Reply(452, "4.3.1", "disk full")
    assert not session.reusable


def test_empty_content_is_a_lone_dot() -> None:
    turns = [b"250 m\r\n250 r\r\n250 r\r\n354 d\r\n", b"250 ok\r\n"]
    _, said, _ = send(turns, PIPELINING, replace(MESSAGE, content=b"", prefix=b""))
    assert said[1] == b".\r\n"


# Whatever the server says.

REPLIES = st.one_of(
    st.sampled_from(
        [
            b"250 ok\r\n",
            b"250-a\r\n250 b\r\n",
            b"354 go\r\n",
            b"550 5.1.1 no\r\n",
            b"450 later\r\n",
            b"421 bye\r\n",
            b"220 hi\n",
            b"250",
            b"hm\r\n",
        ]
    ),
    st.binary(max_size=6),
)
TURNS = st.lists(st.lists(REPLIES, min_size=1, max_size=4).map(b"".join).filter(bool), max_size=6)
DIALOGUES: dict[str, Callable[[ClientSession], Dialogue[object]]] = {
    "greeting": lambda session: session.greeting(),
    "ehlo": lambda session: session.ehlo("c.test"),
    "starttls": lambda session: session.starttls(),
    "transaction": lambda session: session.transaction(MESSAGE),
}


def outcome(name: str, extensions: dict[str, str], turns: list[bytes], size: int) -> object:
    session = session_with(extensions)
    try:
        result, said, _ = play(session, DIALOGUES[name](session), turns, size)
    except BrokenSession as broken:
        return broken.reason
    return result, b"".join(said), session.extensions


@pytest.mark.parametrize("name", DIALOGUES)
@pytest.mark.parametrize("extensions", [{}, PIPELINING])
@settings(deadline=None)
@given(turns=TURNS, size=st.integers(1, 9))
def test_any_octets_give_a_result_or_a_broken_session(
    name: str, extensions: dict[str, str], turns: list[bytes], size: int
) -> None:
    cut, whole = (outcome(name, extensions, turns, each) for each in (size, 1 << 30))
    if not spoke_before_being_asked(whole, cut):
        assert cut == whole


def spoke_before_being_asked(whole: object, cut: object) -> bool:
    """Recognise what is only caught when the octets are there in time, which the network decides."""
    if isinstance(whole, str):
        # Junk that is there before the dot breaks the session; behind the dot it leaves a doubt.
        doubt = isinstance(cut, tuple) and isinstance(cut[0], TransactionResult) and cut[0].in_doubt
        early = ("out of turn", "behind the reply to STARTTLS")
        return doubt or any(sign in told for sign in early for told in (whole, cut) if isinstance(told, str))
    assert isinstance(whole, tuple)
    result, said, _ = whole
    return isinstance(result, TransactionResult) and result.final is not None and not said.endswith(b".\r\n")


# Both ends.

OK = Reply(250, "2.0.0", "Ok")
ANSWERS: dict[type[Event], Reply] = {
    StartTls: Reply(220, "2.0.0", "Go"),
    MailFrom: OK,
    RcptTo: OK,
    DataStart: GO_AHEAD,
    Content: OK,
}


class Pair:
    """Our two ends, joined in memory."""

    def __init__(self, size: int) -> None:
        self.client = ClientSession()
        self.server = ServerSession("mx.test", ServerLimits(), tls=False, starttls=True, auth_required=False)
        self.contents: list[Content] = []
        self.size = size
        self.server.greet()

    def run(self, dialogue: Dialogue[T]) -> T:
        try:
            while True:
                dialogue.send(None)
                self._carry(self.client.data_to_send(), self.server.receive_data)
                self._answer()
                self._carry(self.server.data_to_send(), self.client.receive_data)
        except StopIteration as stop:
            return stop.value

    def _carry(self, octets: bytes, receive: Callable[[bytes], None]) -> None:
        for start in range(0, len(octets), self.size):
            receive(octets[start : start + self.size])
            if receive == self.server.receive_data:
                self._answer()

    def _answer(self) -> None:
        while (event := self.server.next_event()) is not None:
            if isinstance(event, Content):
                self.contents.append(event)
            self.server.answer(ANSWERS[type(event)])


CONTENTS = st.lists(st.sampled_from([b".", b"..", b"", b"a", b".a", b"\xff"]), max_size=6).map(
    lambda lines: b"".join(line + b"\r\n" for line in lines)
)


@settings(deadline=None)
@given(st.lists(CONTENTS, min_size=1, max_size=3), st.integers(1, 40))
def test_what_one_end_sends_the_other_receives(contents: list[bytes], size: int) -> None:
    pair = Pair(size)
    assert pair.run(pair.client.greeting()).code == 220
    assert pair.run(pair.client.ehlo("c.test")).code == 250
    assert pair.run(pair.client.starttls()).code == 220
    pair.server.tls_started()
    pair.client.tls_started()
    pair.run(pair.client.ehlo("c.test"))
    assert "STARTTLS" not in pair.client.extensions
    for content in contents:
        wanted = replace(MESSAGE, content=content, eight_bit=True)
        assert pair.run(pair.client.transaction(wanted)).accepted == (True, True)
        assert pair.client.reusable
    envelope = Envelope("a@a.test", ("b@b.test", "c@b.test"), eight_bit=True)
    assert pair.contents == [Content(envelope, MESSAGE.prefix + content) for content in contents]
    assert pair.run(pair.client.quit()).code == 221
    assert pair.server.closed


def test_repr_tells_the_state_in_one_line() -> None:
    session = session_with({"SIZE": "1", "8BITMIME": ""})
    assert repr(session) == "<ClientSession IDLE extensions=8BITMIME,SIZE>"
    dialogue = session.quit()
    next(dialogue)
    assert repr(session) == "<ClientSession LEAVING extensions=8BITMIME,SIZE>"
    session.receive_eof()
    assert repr(session) == "<ClientSession ENDED extensions=8BITMIME,SIZE>"
