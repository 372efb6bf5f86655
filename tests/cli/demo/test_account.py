"""The account notices everything that could be wrong."""

from paquebot.cli.demo.account import Account, Arrival, Expected, Sent, Waiting, settle_account
from paquebot.sandbox.cast import Fate

A, B = "01985ad6-0000-7000-8000-00000000000a", "01985ad6-0000-7000-8000-00000000000b"
CONTENT = b"Message-ID: <1@shop.test>\r\n\r\nHello\r\n"


def arrival(ident: str, *recipients: str, content: bytes = CONTENT) -> Arrival:
    return Arrival(
        "mx", "a@shop.test", recipients, b"Received: from x by y with ESMTPSA id " + ident.encode() + b"\r\n" + content
    )


def account(*arrivals: Arrival, waiting: tuple[Waiting, ...] = (), expected: Expected | None = None) -> Account:
    sent = [Sent(A, CONTENT, "a@shop.test", ("x@b.test", "y@b.test"))]
    return settle_account(sent, arrivals, waiting, {}, expected)


def test_delivered_and_waiting_add_up() -> None:
    result = account(arrival(A, "x@b.test"), waiting=(Waiting(A, "y@b.test", "full"),))
    assert (result.accepted, result.delivered, result.waiting, result.adds_up) == (2, 1, 1, True)
    assert result.reasons == {"full": 1}


def test_what_is_nowhere_is_lost() -> None:
    result = account(arrival(A, "x@b.test"))
    assert (result.lost, result.lost_pairs, result.adds_up) == (1, [(A, "y@b.test")], False)


def test_what_came_twice_is_a_duplicate() -> None:
    result = account(arrival(A, "x@b.test", "y@b.test"), arrival(A, "x@b.test"))
    assert (result.duplicated, result.adds_up) == (1, False)


def test_what_came_twice_in_doubt_is_named_and_allowed() -> None:
    expected = Expected(doubted=frozenset({(A, "x@b.test"), (B, "not@ours.test")}))
    result = account(arrival(A, "x@b.test", "y@b.test"), arrival(A, "x@b.test"), expected=expected)
    assert (result.duplicated, result.in_doubt, result.twice_in_doubt, result.adds_up) == (0, 1, 1, True)
    other = account(arrival(A, "x@b.test", "y@b.test"), arrival(A, "y@b.test"), expected=expected)
    assert (other.duplicated, other.twice_in_doubt, other.adds_up) == (1, 0, False)


def test_a_fate_that_the_domain_does_not_allow_is_noticed() -> None:
    never = Expected({"b.test": frozenset({Fate.FAILED})})
    result = account(arrival(A, "x@b.test"), waiting=(Waiting(A, "y@b.test", "busy"),), expected=never)
    assert (result.unexpected, result.adds_up) == ({"b.test: delivered": 1}, False)
    assert result.domains == {"b.test": {"delivered": 1, "waiting": 1}}


def test_one_changed_octet_is_noticed() -> None:
    result = account(arrival(A, "x@b.test", "y@b.test", content=CONTENT.replace(b"Hello", b"Hell0")))
    assert (result.altered, result.adds_up) == (1, False)


def test_a_failure_counts_only_with_its_report() -> None:
    raw = (
        b"Received: id "
        + B.encode()
        + b"\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        b"--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; y@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <1@shop.test>\r\n\r\n--B--\r\n"
    )
    result = account(arrival(A, "x@b.test"), Arrival("mx", "", ("a@shop.test",), raw))
    assert (result.delivered, result.failed, result.adds_up) == (1, 1, True)


def test_nothing_accepted_is_no_success() -> None:
    assert not settle_account([], [], [], {}).adds_up
