import base64
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.reply import Reply
from paquebot.smtp.events import AuthAttempt, Content, DataStart, Event, MailFrom, RcptTo, StartTls
from paquebot.smtp.sasl import WITH_PASSWORD, WITH_TOKEN
from paquebot.smtp.server import GO_AHEAD, ServerLimits, ServerSession
from paquebot.smtp.table import IDLE, SHUTDOWN

OK = Reply(250, "2.0.0", "Ok")
ACCEPT: dict[type[Event], Reply] = {
    StartTls: Reply(220, "2.0.0", "Go"),
    AuthAttempt: Reply(235, "2.7.0", "Welcome"),
    MailFrom: OK,
    RcptTo: OK,
    DataStart: GO_AHEAD,
    Content: OK,
}
LIMITS = ServerLimits(content_max_bytes=1_000, recipients_max=3, errors_max=5, commands_max=40)
ASCII = Envelope("a@a.test", ("b@b.test",))
PLAIN = base64.b64encode(b"\0alice\0pass")
TO_DATA = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"


class Talk:
    """A session whose events are answered at once, all positively unless told otherwise."""

    def __init__(self, session: ServerSession) -> None:
        self.session = session
        self.events: list[Event] = []
        self.refuse: dict[object, Reply] = {}
        session.greet()
        self.greeting = session.data_to_send()

    def say(self, octets: bytes, size: int = 1 << 30) -> bytes:
        """Send octets in chunks of a size; return all that was answered."""
        out = b""
        for start in range(0, len(octets), size):
            self.session.receive_data(octets[start : start + size])
            while (event := self.session.next_event()) is not None:
                self.events.append(event)
                path = getattr(event, "path", None)
                self.session.answer(self.refuse.get(path) or self.refuse.get(type(event)) or ACCEPT[type(event)])
            out += self.session.data_to_send()
        return out

    def codes(self, octets: bytes) -> list[str]:
        """Return code and enhanced status of each reply."""
        lines = self.say(octets).decode().splitlines()
        return [line[:9] if line[4:5] in "245" and line[5:6] == "." else line[:3] for line in lines if line[3] == " "]


def mx(limits: ServerLimits = LIMITS, *, ready: bool = True) -> Talk:
    """Make a receiving host: nobody has to authenticate."""
    talk = Talk(ServerSession("mx.test", limits, tls=False, starttls=True, auth_required=False))
    if ready:
        talk.say(b"EHLO client.test\r\n")
    return talk


def submission(*, tls: bool = True, authenticated: bool = False) -> Talk:
    talk = Talk(ServerSession("mx.test", LIMITS, tls=tls, starttls=not tls))
    talk.say(b"EHLO client.test\r\n")
    if authenticated:
        talk.say(b"AUTH PLAIN " + PLAIN + b"\r\n")
    return talk


# Greeting and hello.


def test_the_greeting_has_no_enhanced_status() -> None:
    assert mx().greeting == b"220 mx.test ESMTP Paquebot\r\n"


@pytest.mark.parametrize("code", [421, 521, 554])
def test_a_refusing_greeting_ends_the_session(code: int) -> None:
    session = ServerSession("mx.test", LIMITS, tls=False, starttls=False)
    session.greet(Reply(code, f"{code // 100}.3.2", "Not now"))
    assert session.data_to_send() == f"{code} Not now\r\n".encode()
    assert session.closed


def test_ehlo_offers_what_is_built_and_nothing_else() -> None:
    assert mx(ready=False).say(b"EHLO c.test\r\n") == (
        b"250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-CHUNKING\r\n"
        b"250-ENHANCEDSTATUSCODES\r\n250-LIMITS MAILMAX=10000 RCPTMAX=3\r\n250 STARTTLS\r\n"
    )


def test_auth_is_offered_only_under_tls_and_starttls_only_without() -> None:
    clear = submission(tls=False).say(b"EHLO c.test\r\n")
    assert b"STARTTLS" in clear
    assert b"AUTH" not in clear
    covered = submission(tls=True).say(b"EHLO c.test\r\n")
    assert b"AUTH PLAIN LOGIN" in covered
    assert b"STARTTLS" not in covered


def test_helo_offers_nothing_and_knows_no_parameters() -> None:
    talk = mx(ready=False)
    assert talk.say(b"helo c.test\r\n") == b"250 mx.test\r\n"
    assert talk.codes(b"MAIL FROM:<a@a.test> SIZE=1\r\n") == ["555 5.5.4"]
    assert (talk.session.client.protocol(ASCII), talk.session.client.hello_name) == ("SMTP", "c.test")


def test_the_protocol_word_is_that_of_rfc_3848() -> None:
    assert mx().session.client.protocol(ASCII) == "ESMTP"
    assert submission().session.client.protocol(ASCII) == "ESMTPS"
    assert submission(authenticated=True).session.client.protocol(ASCII) == "ESMTPSA"
    assert submission(authenticated=True).session.client.protocol(replace(ASCII, utf8=True)) == "UTF8SMTPSA"


# Transactions.


def test_a_transaction_yields_its_envelope_and_content() -> None:
    talk = mx()
    octets = (
        b"MAIL FROM:<a@a.test> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<b@B.test>\r\nRCPT TO:<c@b.test>\r\n"
        b"RCPT TO:<b@b.test>\r\nDATA\r\n..dot\r\n\xff\r\n.\r\nQUIT\r\n"
    )
    assert talk.codes(octets) == ["250 2.0.0"] * 4 + ["354", "250 2.0.0", "221 2.0.0"]
    assert talk.events == [
        MailFrom("a@a.test", 20, eight_bit=True),
        RcptTo("b@b.test"),
        RcptTo("c@b.test"),
        RcptTo("b@b.test"),
        DataStart(),
        Content(Envelope("a@a.test", ("b@b.test", "c@b.test"), eight_bit=True), b".dot\r\n\xff\r\n"),
    ]
    assert talk.session.closed


def test_what_is_wished_of_reports_stands_in_the_envelope() -> None:
    talk = mx()
    octets = (
        b"MAIL FROM:<a@a.test> RET=HDRS ENVID=QQ314159\r\nRCPT TO:<b@b.test> NOTIFY=SUCCESS ORCPT=rfc822;B@b.test\r\n"
        b"RCPT TO:<c@b.test>\r\nRCPT TO:<d@b.test> NOTIFY=DELAY\r\nRCPT TO:<d@b.test> NOTIFY=NEVER\r\n"
        b"DATA\r\nx\r\n.\r\n"
    )
    assert talk.codes(octets)[-1] == "250 2.0.0"
    content = talk.events[-1]
    assert isinstance(content, Content)
    envelope = content.envelope
    assert (envelope.ret, envelope.envelope_id) == ("HDRS", "QQ314159")
    assert envelope.wishes == {
        "b@b.test": Wish(("SUCCESS",), "rfc822;B@b.test"),
        "d@b.test": Wish(("NEVER",)),  # the last word counts
    }


def test_addresses_beyond_ascii_come_with_smtputf8_and_their_domains_as_a_labels() -> None:
    talk = mx()
    octets = "MAIL FROM:<ä@a.test> SMTPUTF8\r\nRCPT TO:<b@bücher.test>\r\nRCPT TO:<ö@b.test>\r\nDATA\r\nx\r\n.\r\n"
    assert talk.codes(octets.encode())[-1] == "250 2.0.0"
    content = talk.events[-1]
    assert isinstance(content, Content)
    assert content.envelope == Envelope("ä@a.test", ("b@xn--bcher-kva.test", "ö@b.test"), utf8=True)
    assert talk.codes("MAIL FROM:<>\r\nRCPT TO:<ö@b.test>\r\n".encode()) == ["250 2.0.0", "553 5.6.7"]


def test_what_is_withheld_is_neither_offered_nor_served() -> None:
    talk = mx(ready=False)
    talk.session.withheld = frozenset({"PIPELINING", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING", "LIMITS"})
    assert talk.say(b"EHLO c.test\r\n") == (
        b"250-mx.test\r\n250-SIZE 1000\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"
    )
    assert talk.codes(b"MAIL FROM:<> BODY=8BITMIME\r\nMAIL FROM:<> RET=FULL\r\n") == ["555 5.5.4"] * 2
    assert talk.codes(b"MAIL FROM:<>\r\nRCPT TO:<b@b.test>\r\nBDAT 6 LAST\r\nNOOP\r\n")[2:] == ["502 5.5.1"]


def test_a_refused_recipient_leaves_the_others_alone() -> None:
    talk = mx()
    talk.refuse["bad@b.test"] = Reply(550, "5.1.1", "No")
    octets = b"MAIL FROM:<>\r\nRCPT TO:<bad@b.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\n"
    assert talk.codes(octets) == ["250 2.0.0", "550 5.1.1", "250 2.0.0", "354", "250 2.0.0"]
    assert talk.events[-1] == Content(Envelope("", ("b@b.test",)), b"x\r\n")


def test_data_without_any_accepted_recipient_is_554_and_reads_no_content() -> None:
    talk = mx()
    talk.refuse[RcptTo] = Reply(550, "5.1.1", "No")
    assert talk.codes(TO_DATA + b"NOOP\r\n") == ["250 2.0.0", "550 5.1.1", "554 5.5.1", "250 2.0.0"]


def test_a_refused_data_ends_the_transaction() -> None:
    talk = mx()
    talk.refuse[DataStart] = Reply(451, "4.3.0", "Later")
    assert talk.codes(TO_DATA)[-1] == "451 4.3.0"
    talk.refuse.clear()
    assert talk.codes(TO_DATA + b"x\r\n.\r\n")[-1] == "250 2.0.0"


def test_a_refused_content_leaves_the_session_usable() -> None:
    talk = mx()
    talk.refuse[Content] = Reply(451, "4.3.0", "Later")
    assert talk.codes(TO_DATA + b"x\r\n.\r\n")[-1] == "451 4.3.0"
    assert talk.codes(TO_DATA + b"x\r\n.\r\n")[-1] == "451 4.3.0"


def test_rset_and_ehlo_forget_the_transaction() -> None:
    talk = mx()
    for forget in (b"RSET\r\n", b"EHLO again.test\r\n", b"HELO again.test\r\n"):
        talk.say(b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n" + forget)
        assert talk.codes(b"DATA\r\n") == ["503 5.5.1"]


def test_rset_before_hello_introduces_nobody() -> None:
    assert mx(ready=False).codes(b"RSET\r\nMAIL FROM:<>\r\n") == ["250 2.0.0", "503 5.5.1"]


@pytest.mark.parametrize(
    ("before", "command"),
    [
        (b"", b"MAIL FROM:<>"),
        (b"", b"RCPT TO:<b@b.test>"),
        (b"", b"DATA"),
        (b"", b"STARTTLS"),
        (b"EHLO c\r\n", b"RCPT TO:<b@b.test>"),
        (b"EHLO c\r\n", b"DATA"),
        (b"EHLO c\r\nMAIL FROM:<>\r\n", b"MAIL FROM:<>"),
        (b"EHLO c\r\nMAIL FROM:<>\r\n", b"STARTTLS"),
        (b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.test>\r\n", b"MAIL FROM:<>"),
    ],
)
def test_commands_out_of_sequence_are_503(before: bytes, command: bytes) -> None:
    talk = mx(ready=False)
    talk.say(before)
    assert talk.codes(command + b"\r\n") == ["503 5.5.1"]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"VRFY somebody", "252 2.1.5"),
        (b"EXPN list", "502 5.5.1"),
        (b"HELP", "214 2.0.0"),
        (b"NOOP anything", "250 2.0.0"),
        (b"AUTH PLAIN", "502 5.5.1"),
        (b"WAT", "500 5.5.1"),
        (b"", "500 5.5.1"),
        (b"DATA now", "503 5.5.1"),
        (b"RSET now", "501 5.5.4"),
        (b"EHLO", "501 5.5.4"),
        (b"EHLO two words", "501 5.5.4"),
        (b"MAIL FROM:<a@a.test> SIZE=1001", "552 5.3.4"),
        (b"MAIL FROM:<a@a.test> SMTPUTF8", "250 2.0.0"),
        (b"mail from:<a@a.test>  ", "250 2.0.0"),
        (b"NOOP " + b"x" * 505, "250 2.0.0"),
        (b"NOOP " + b"x" * 506, "500 5.5.2"),
    ],
)
def test_each_command_has_its_reply(command: bytes, reply: str) -> None:
    assert mx().codes(command + b"\r\n") == [reply]


def test_a_bare_lf_ends_a_line_but_makes_no_command() -> None:
    assert mx().codes(b"NOOP\nNOOP\r\n") == ["500 5.5.2", "250 2.0.0"]


def test_too_many_recipients_are_452_and_the_others_stay() -> None:
    talk = mx()
    rcpts = b"".join(b"RCPT TO:<%d@b.test>\r\n" % number for number in range(4))
    assert talk.codes(b"MAIL FROM:<>\r\n" + rcpts)[1:] == ["250 2.0.0"] * 3 + ["452 4.5.3"]
    assert talk.codes(b"RCPT TO:<0@b.test>\r\nDATA\r\nx\r\n.\r\n") == ["250 2.0.0", "354", "250 2.0.0"]
    content = talk.events[-1]
    assert isinstance(content, Content)
    assert len(content.envelope.recipients) == 3


# Content.

SMUGGLED = b"MAIL FROM:<evil@evil.test>\r\nRCPT TO:<victim@b.test>\r\nDATA\r\nsmuggled\r\n.\r\n"


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r.\r", b"\n.\r", b"\r\n.\n", b"\r\n.\r", b"\r\n\0.\r\n", b"\r\r\n.\r\r\n"],
)
def test_no_false_end_smuggles_a_command(end: bytes) -> None:
    talk = mx()
    replies = talk.codes(TO_DATA + b"content" + end + SMUGGLED + b"NOOP\r\n")
    assert replies[-2:] == ["554 5.6.0", "250 2.0.0"]
    assert [event for event in talk.events if isinstance(event, MailFrom)] == [MailFrom("a@a.test", None, False)]
    assert not any(isinstance(event, Content) for event in talk.events)


def test_the_faults_of_content_are_told_apart() -> None:
    talk = mx(ServerLimits())
    faults = [b"a\0\r\n", b"a\rb\r\n", b"a\nb\r\n", b"a" * 999 + b"\r\n"]
    texts = {talk.say(TO_DATA + fault + b".\r\n").splitlines()[-1] for fault in faults}
    assert len(texts) == 4
    assert all(text.startswith(b"554 5.6.0") for text in texts)


@pytest.mark.parametrize(("length", "reply"), [(997, "250 2.0.0"), (998, "250 2.0.0"), (999, "552 5.3.4")])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_content_has_its_maximum(length: int, reply: str, size: int) -> None:
    talk = mx()
    content = b"x" * 400 + b"\r\n" + b"y" * (length - 402) + b"\r\n"
    talk.say(TO_DATA)
    assert talk.say(content + b".\r\n", size)[:9].decode() == reply


def test_stuffing_does_not_count() -> None:
    talk = mx()
    assert talk.codes(TO_DATA + b"..\r\n" * 333 + b".\r\n")[-1] == "250 2.0.0"
    content = talk.events[-1]
    assert isinstance(content, Content)
    assert content.content == b".\r\n" * 333


def test_endless_content_is_refused_for_good_and_the_session_ends() -> None:
    talk = mx()
    talk.say(TO_DATA)
    assert talk.session.mid_content
    out = b"".join(talk.say(b"x" * 10_000) for _ in range(10))
    assert out.startswith(b"552 5.3.4")
    assert talk.session.closed


# Content in chunks.

TO_BDAT = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n"


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_chunks_make_one_content_however_they_are_cut(size: int) -> None:
    talk = mx()
    octets = TO_BDAT + b"BDAT 7\r\na\r\n.\r\n.bdat 0\r\nBDAT 4 LAST\r\n\r\nb\xff" + b"NOOP\r\n"
    out = talk.say(octets, size)
    assert [line[:9] for line in out.decode().splitlines()] == ["250 2.0.0"] * 6
    assert talk.events[-1] == Content(Envelope("a@a.test", ("b@b.test",)), b"a\r\n.\r\n.\r\nb\xff")
    assert [type(event) for event in talk.events] == [MailFrom, RcptTo, DataStart, Content]


def test_an_only_chunk_may_be_empty_and_the_next_message_may_come_as_data() -> None:
    talk = mx()
    assert talk.codes(TO_BDAT + b"BDAT 0 LAST\r\n" + TO_DATA + b"x\r\n.\r\n")[-3:] == ["250 2.0.0", "354", "250 2.0.0"]
    assert [event.content for event in talk.events if isinstance(event, Content)] == [b"", b"x\r\n"]


@pytest.mark.parametrize("command", [b"DATA", b"RCPT TO:<c@b.test>", b"MAIL FROM:<>", b"AUTH PLAIN", b"STARTTLS"])
def test_between_chunks_only_chunks_come(command: bytes) -> None:
    talk = mx()
    talk.say(TO_BDAT + b"BDAT 3\r\na\r\n")
    assert talk.codes(command + b"\r\n")[0][:3] in {"503", "502"}
    assert talk.codes(b"BDAT 3 LAST\r\nb\r\n") == ["250 2.0.0"]
    content = talk.events[-1]
    assert isinstance(content, Content)
    assert content.content == b"a\r\nb\r\n"


@pytest.mark.parametrize("forget", [b"RSET", b"EHLO c.test"])
def test_chunks_are_forgotten_with_their_transaction(forget: bytes) -> None:
    talk = mx()
    talk.say(TO_BDAT + b"BDAT 3\r\na\r\n" + forget + b"\r\n")
    assert talk.session.kept_bytes == 0
    assert talk.codes(b"BDAT 3 LAST\r\nb\r\n") == ["503 5.5.1"]


def test_a_chunk_without_a_transaction_is_read_and_refused() -> None:
    assert mx().codes(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n") == ["503 5.5.1", "250 2.0.0"]
    assert mx(ready=False).codes(b"BDAT 6\r\nQUIT\r\nMAIL FROM:<>\r\n") == ["503 5.5.1", "503 5.5.1"]
    nobody = mx()
    assert nobody.codes(b"MAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nDATA\r\n")[1:] == ["554 5.5.1", "503 5.5.1"]


def test_a_failed_chunk_ends_the_transaction_and_the_rest_of_its_content_is_read_and_refused() -> None:
    talk = mx(ServerLimits(content_max_bytes=10, errors_max=3))
    train = b"BDAT 6\r\naaaa\r\n" * 2 + b"BDAT 6\r\nQUIT\r\n" * 9 + b"BDAT 6 LAST\r\nQUIT\r\n"
    assert talk.codes(TO_BDAT + train)[2:] == ["250 2.0.0", "552 5.3.4", *["503 5.5.1"] * 10]
    assert not talk.session.closed  # all that is one error
    assert talk.session.kept_bytes == 0
    assert talk.codes(TO_BDAT + b"BDAT 3 LAST\r\na\r\n")[-1] == "250 2.0.0"


def test_a_refused_first_chunk_is_read_before_it_is_answered() -> None:
    talk = mx()
    talk.refuse[DataStart] = Reply(452, "4.3.1", "No room")
    assert talk.say(TO_BDAT + b"BDAT 6 LAST\r\nQUI").count(b"\r\n") == 2
    assert talk.codes(b"T\r\nNOOP\r\n") == ["452 4.3.1", "250 2.0.0"]
    talk.refuse[DataStart] = Reply(421, "4.3.2", "Going down")
    assert talk.codes(TO_BDAT + b"BDAT 6 LAST\r\nQUIT\r\n")[-1] == "421 4.3.2"
    assert talk.session.closed


@pytest.mark.parametrize("content", [b"a\0\r\n", b"a\rb\r\n", b"a\nb\r\n", b"a" * 999 + b"\r\n", b"a\r"])
def test_what_may_not_stand_in_content_may_not_come_in_chunks(content: bytes) -> None:
    talk = mx(ServerLimits())
    cut = len(content) // 2
    octets = b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (cut, content[:cut], len(content) - cut, content[cut:])
    assert talk.codes(TO_BDAT + octets + b"NOOP\r\n")[2:] == ["250 2.0.0", "554 5.6.0", "250 2.0.0"]


@pytest.mark.parametrize(
    "command", [b"BDAT", b"BDAT LAST", b"BDAT -1", b"BDAT 3 FIRST", b"BDAT 3 LAST x", b"BDAT 3\n", b"BDAT " + b"9" * 19]
)
def test_where_the_end_of_a_chunk_is_not_known_nothing_more_is_read(command: bytes) -> None:
    talk = mx()
    replies = talk.codes(TO_BDAT + command + b"\r\nQUIT\r\n")[2:]
    assert [reply[:3] for reply in replies] in (["501", "421"], ["500", "421"])
    assert talk.session.closed


def test_a_chunk_too_large_to_be_thrown_away_ends_the_session() -> None:
    talk = mx()
    assert talk.codes(TO_BDAT + b"BDAT 10000000 LAST\r\nx")[2:] == ["552 5.3.4", "421 4.7.0"]


def test_chunks_are_no_commands_that_lead_nowhere() -> None:
    talk = mx()
    assert talk.codes(TO_BDAT + b"BDAT 2\r\n\r\n" * 100)[-1] == "250 2.0.0"
    assert talk.codes(b"BDAT 0\r\n" * 100)[-1] == "421 4.7.0"


# AUTH and STARTTLS.


def test_nobody_sends_without_authentication() -> None:
    for talk in (submission(), submission(tls=False)):
        assert talk.codes(TO_DATA) == ["530 5.7.0", "503 5.5.1", "503 5.5.1"]
        assert talk.events == []


def test_who_has_authenticated_sends() -> None:
    talk = submission(authenticated=True)
    assert talk.events == [AuthAttempt("PLAIN", "alice", b"pass")]
    assert talk.session.client.authenticated
    assert talk.codes(TO_DATA + b"x\r\n.\r\n")[-1] == "250 2.0.0"


def test_who_failed_to_authenticate_does_not_send() -> None:
    talk = submission()
    talk.refuse[AuthAttempt] = Reply(535, "5.7.8", "No")
    assert talk.codes(b"AUTH PLAIN " + PLAIN + b"\r\nMAIL FROM:<>\r\n") == ["535 5.7.8", "530 5.7.0"]


def test_login_and_plain_ask_for_what_is_missing() -> None:
    talk = submission()
    assert talk.say(b"AUTH PLAIN\r\n") == b"334 \r\n"
    assert talk.say(PLAIN + b"\r\n").startswith(b"235 ")
    talk = submission()
    assert talk.say(b"auth login\r\n") == b"334 VXNlcm5hbWU6\r\n"
    assert talk.say(base64.b64encode(b"alice") + b"\r\n") == b"334 UGFzc3dvcmQ6\r\n"
    assert talk.say(base64.b64encode(b"p") + b"\r\n").startswith(b"235 ")
    assert talk.events == [AuthAttempt("LOGIN", "alice", b"p")]


@pytest.mark.parametrize(
    ("exchange", "replies"),
    [
        (b"AUTH PLAIN\r\n*\r\n", ["334", "501 5.7.0"]),
        (b"AUTH LOGIN\r\n*\r\n", ["334", "501 5.7.0"]),
        (b"AUTH PLAIN =\r\n", ["501 5.5.2"]),
        (b"AUTH PLAIN !\r\n", ["501 5.5.2"]),
        (b"AUTH\r\n", ["504 5.5.4"]),
        (b"AUTH CRAM-MD5\r\n", ["504 5.5.4"]),
        (b"AUTH PL\xc4IN\r\n", ["504 5.5.4"]),
        (b"AUTH PLAIN\r\nQUIT\r\n", ["334", "501 5.5.2"]),
        (b"AUTH PLAIN\r\n" + PLAIN + b"\n", ["334", "500 5.5.2"]),
        (b"AUTH PLAIN " + b"A" * 12_276 + b"\r\n", ["500 5.5.6"]),
        (b"AUTH PLAIN " + b"A" * 12_275 + b"\r\n", ["501 5.5.2"]),
        (b"AUTH PLAIN\r\n" + b"A" * 12_287 + b"\r\n", ["334", "500 5.5.6"]),
        (b"AUTH PLAIN\r\n" + b"A" * 12_284 + b"\r\n", ["334", "501 5.5.2"]),
    ],
)
def test_a_failed_exchange_is_over_and_the_session_goes_on(exchange: bytes, replies: list[str]) -> None:
    talk = submission()
    assert talk.codes(exchange + b"NOOP\r\n") == [*replies, "250 2.0.0"]
    assert talk.events == []


def test_auth_has_its_place() -> None:
    command = b"AUTH PLAIN " + PLAIN + b"\r\n"
    assert submission(authenticated=True).codes(command) == ["503 5.5.1"]
    assert submission(authenticated=True).codes(b"MAIL FROM:<>\r\n" + command)[-1] == "503 5.5.1"
    assert submission(tls=False).codes(command) == ["538 5.7.11"[:9]]
    helo = Talk(ServerSession("mx.test", LIMITS, tls=True, starttls=False))
    assert helo.codes(b"HELO c\r\n" + command) == ["250", "503 5.5.1"]


def test_what_came_before_or_with_starttls_is_void() -> None:
    talk = submission(tls=False)
    assert talk.codes(b"STARTTLS\r\nEHLO injected.test\r\nNOOP\r\n") == ["220 2.0.0"]
    assert talk.say(b"NOOP\r\n") == b""  # in the clear, behind the 220
    talk.session.tls_started()
    assert (talk.session.client.tls, talk.session.client.hello_name, talk.session.client.protocol(ASCII)) == (
        True,
        "",
        "SMTP",
    )
    assert talk.codes(b"MAIL FROM:<>\r\n") == ["503 5.5.1"]
    assert talk.codes(b"EHLO c\r\nAUTH PLAIN " + PLAIN + b"\r\n") == ["250", "235 2.7.0"]


def test_starttls_can_fail_and_the_session_goes_on_in_the_clear() -> None:
    talk = submission(tls=False)
    talk.refuse[StartTls] = Reply(454, "4.7.0", "No certificate")
    assert talk.codes(b"STARTTLS\r\nNOOP\r\n") == ["454 4.7.0", "250 2.0.0"]


def test_starttls_is_refused_where_it_has_no_place() -> None:
    assert submission().codes(b"STARTTLS\r\n") == ["502 5.5.1"]
    assert mx().codes(b"STARTTLS now\r\n") == ["501 5.5.4"]
    again = mx()
    again.say(b"STARTTLS\r\n")
    again.session.tls_started()
    assert again.codes(b"EHLO c\r\nSTARTTLS\r\n") == ["250", "503 5.5.1"]


BEARER = b"AUTH OAUTHBEARER " + base64.b64encode(b"n,,\x01auth=Bearer abc\x01\x01") + b"\r\n"


def bearing(*, tls: bool = True) -> Talk:
    talk = Talk(ServerSession("mx.test", LIMITS, tls=tls, starttls=not tls))
    talk.session.client.mechanisms = WITH_PASSWORD + WITH_TOKEN
    return talk


def test_mechanisms_for_tokens_are_offered_under_tls_where_tokens_are_taken() -> None:
    assert b"AUTH PLAIN LOGIN OAUTHBEARER XOAUTH2\r\n" in bearing().say(b"EHLO c.test\r\n")
    clear = bearing(tls=False)
    assert b"AUTH" not in clear.say(b"EHLO c.test\r\n")
    assert clear.codes(BEARER) == ["538 5.7.1"]  # 5.7.11
    assert submission().codes(BEARER) == ["504 5.5.4"]


def test_a_token_that_is_welcome_authenticates() -> None:
    talk = bearing()
    assert talk.codes(b"EHLO c.test\r\n" + BEARER + b"MAIL FROM:<>\r\n") == ["250", "235 2.7.0", "250 2.0.0"]
    assert talk.events[0] == AuthAttempt("OAUTHBEARER", "", b"", b"abc")


def test_a_token_that_is_not_is_refused_after_an_error_and_an_answer() -> None:
    talk = bearing()
    talk.refuse[AuthAttempt] = Reply(535, "5.7.8", "No")
    talk.say(b"EHLO c.test\r\n")
    assert talk.say(BEARER).startswith(b"334 ")
    assert talk.codes(b"AQ==\r\nMAIL FROM:<>\r\n") == ["535 5.7.8", "530 5.7.0"]
    talk.refuse.clear()
    assert talk.codes(BEARER) == ["235 2.7.0"]


def test_refused_tokens_count_as_errors_once_each() -> None:
    talk = bearing()
    talk.refuse[AuthAttempt] = Reply(535, "5.7.8", "No")
    talk.say(b"EHLO c.test\r\n")
    assert talk.codes((BEARER + b"AQ==\r\n") * 6) == ["334", "535 5.7.8"] * 5 + ["421 4.7.0"]


@pytest.mark.parametrize(
    ("refusal", "closed"), [(Reply(454, "4.7.0", "Later"), False), (Reply(421, "4.7.0", "Bye"), True)]
)
def test_other_refusals_of_a_token_are_said_at_once(refusal: Reply, closed: bool) -> None:
    talk = bearing()
    talk.refuse[AuthAttempt] = refusal
    talk.say(b"EHLO c.test\r\n")
    assert talk.codes(BEARER) == [f"{refusal.code} {refusal.enhanced}"]
    assert talk.session.closed is closed


# Ends.


def test_errors_end_the_session_with_421() -> None:
    talk = mx()
    assert talk.codes(b"WAT\r\n" * 6) == ["500 5.5.1"] * 5 + ["421 4.7.0"]
    assert talk.session.closed
    assert talk.say(b"NOOP\r\n") == b""


def test_guessing_passwords_ends_the_session_with_421() -> None:
    talk = submission()
    talk.refuse[AuthAttempt] = Reply(535, "5.7.8", "No")
    assert talk.codes((b"AUTH PLAIN " + PLAIN + b"\r\n") * 6) == ["535 5.7.8"] * 5 + ["421 4.7.0"]


def test_refusals_from_outside_are_no_errors_of_the_client() -> None:
    talk = mx()
    talk.refuse[RcptTo] = Reply(550, "5.1.1", "No")
    assert talk.codes(b"MAIL FROM:<>\r\n" + b"RCPT TO:<b@b.test>\r\n" * 9)[-1] == "550 5.1.1"


def test_accepted_content_wipes_the_slate() -> None:
    talk = mx()
    for _ in range(3):
        assert talk.codes(b"WAT\r\n" * 4 + TO_DATA + b"x\r\n.\r\n")[-1] == "250 2.0.0"


def test_commands_that_lead_nowhere_end_with_421() -> None:
    talk = mx()
    assert talk.codes(b"NOOP\r\n" * 60)[-2:] == ["250 2.0.0", "421 4.7.0"]
    assert mx().codes(TO_DATA + b"x\r\n.\r\n" + (TO_DATA + b"x\r\n.\r\n") * 30)[-1] == "250 2.0.0"


def test_a_session_takes_as_many_mails_as_it_says() -> None:
    talk = mx(replace(LIMITS, mails_max=2))
    assert talk.codes(b"MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<a>\r\nMAIL FROM:<>\r\n")[2:] == ["501 5.1.7", "421 4.7.0"]
    assert talk.session.closed


def test_a_421_from_outside_closes() -> None:
    talk = mx()
    talk.refuse[MailFrom] = Reply(421, "4.7.0", "Slow down")
    assert talk.codes(b"MAIL FROM:<>\r\nNOOP\r\n") == ["421 4.7.0"]
    assert talk.session.closed


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"x" * 70_000])
def test_who_speaks_no_smtp_is_told_so_and_sent_away(octets: bytes) -> None:
    talk = mx(ready=False)
    replies = talk.codes(octets)
    assert [reply[:3] for reply in replies] == ["500", "421"]
    assert talk.session.closed


@pytest.mark.parametrize("end", [IDLE, SHUTDOWN])
def test_the_shell_can_end_a_session_and_an_open_event_is_answered_first(end: Reply) -> None:
    idle = mx()
    idle.session.close_with(end)
    assert idle.session.data_to_send().startswith(b"421 4.")
    assert idle.session.closed
    busy = mx().session
    busy.receive_data(b"MAIL FROM:<>\r\nNOOP\r\n")
    assert busy.next_event() == MailFrom("", None, eight_bit=False)
    busy.close_with(end)
    assert busy.data_to_send() == b""
    busy.answer(OK)
    assert busy.data_to_send().splitlines()[0] == b"250 2.0.0 Ok"
    assert busy.closed


def test_after_the_client_is_gone_answers_say_nothing() -> None:
    session = mx().session
    session.receive_data(TO_DATA)
    session.next_event()
    session.receive_eof()
    session.answer(OK)
    assert session.data_to_send() == b""
    assert session.closed


# Back-pressure.


def test_nothing_is_read_behind_an_unanswered_event() -> None:
    session = mx().session
    session.receive_data(b"MAIL FROM:<>\r\nQUIT\r\n")
    assert isinstance(session.next_event(), MailFrom)
    assert session.waiting
    assert session.next_event() is None
    assert session.data_to_send() == b""
    session.receive_data(b"x" * 65_536)
    assert session.congested
    session.receive_data(b"x" * 1_048_576)
    session.answer(OK)
    assert session.data_to_send().splitlines()[-1].startswith(b"421 4.7.0")


def test_repr_tells_the_state_in_one_line() -> None:
    talk = submission(authenticated=True)
    assert repr(talk.session) == "<ServerSession READY mx.test tls authenticated errors=0 unread=0>"
    talk.session.receive_data(b"MAIL FROM:<>\r\nab")
    talk.session.next_event()
    assert "READY" in repr(talk.session)
    assert "waiting=MailFrom errors=0 unread=2" in repr(talk.session)


def test_what_is_kept_is_counted_until_it_is_answered() -> None:
    talk = mx()
    talk.say(TO_BDAT + b"BDAT 5\r\nabc\r\nBDAT 10 LAST\r\nde")
    assert (talk.session.kept_bytes, talk.session.mid_content, talk.session.in_transaction) == (7, True, True)
    session = talk.session
    session.receive_data(b"f\r\nghi\r\n")
    assert isinstance(session.next_event(), Content)
    assert session.kept_bytes == 15
    assert session.in_transaction
    session.answer(OK)
    assert (session.kept_bytes, session.in_transaction) == (0, False)


# Whatever comes.

WORDS = st.sampled_from(
    [
        b"EHLO c.test\r\n",
        b"HELO c\r\n",
        b"MAIL FROM:<a@a.test>\r\n",
        b"MAIL FROM:<> SIZE=3 BODY=8BITMIME\r\n",
        b"RCPT TO:<b@b.test>\r\n",
        b"DATA\r\n",
        b"x\r\n.\r\n",
        b".\r\n",
        b"\n.\r\n",
        b"RSET\r\n",
        b"AUTH PLAIN\r\n",
        b"AUTH LOGIN YQ==\r\n",
        PLAIN + b"\r\n",
        b"STARTTLS\r\n",
        b"BDAT 5\r\n",
        b"BDAT 3 last\r\nab\n",
        b"BDAT 0 LAST\r\n",
        b"BDAT 1200\r\n",
        b"BDAT x\r\n",
        b"NOOP\n",
        b"GET / HTTP/1.0\r\n",
        b"\x16\x03",
        b"A" * 700,
        b"A" * 13_000,
        b"\r\n",
        b"\r",
    ]
)
STREAMS = st.lists(st.one_of(WORDS, st.binary(max_size=12)), max_size=16).map(b"".join)


def dialogue(octets: bytes, size: int, *, tls: bool) -> tuple[bytes, list[Event], str]:
    talk = Talk(ServerSession("mx.test", LIMITS, tls=tls, starttls=not tls, auth_required=tls))
    out = talk.say(octets, size)
    return out, talk.events, repr(talk.session).partition(" errors")[0]


@pytest.mark.parametrize("tls", [True, False])
@settings(deadline=None)
@given(octets=STREAMS, size=st.integers(1, 30))
@example(octets=b"EHLO c\r\n" + TO_DATA + b"x" * 1_400 + b"\r\n.\r\nNOOP\r\n", size=1)
@example(octets=b"EHLO c\r\n" + b"A" * 70_000 + b"\r\n", size=97)
@example(octets=b"EHLO c\r\n" + TO_DATA + b"x" * 69_530 + b"\r\n.\r\n", size=97)
def test_any_octets_whole_or_in_pieces_give_the_same_dialogue(octets: bytes, size: int, *, tls: bool) -> None:
    assert dialogue(octets, size, tls=tls) == dialogue(octets, len(octets) or 1, tls=tls)
