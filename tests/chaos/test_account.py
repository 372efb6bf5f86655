"""The account counts what is lost, doubled and altered, and blames nobody for what a client repeats."""

from chaos.account import Accepted, Arrived, Evidence, settle

ANN, BOB = "m1.0@quick1.chaos.test", "m1.1@slow1.chaos.test"
BOTH = Accepted(1, "a", (ANN, BOB))


def evidence(*arrived: Arrived, accepted=(BOTH,), failed=(), waiting=None, under_way=()) -> Evidence:
    return Evidence(accepted, arrived, set(failed), waiting or {}, set(under_way))


def test_what_arrived_failed_or_waits_is_not_lost() -> None:
    account = settle(evidence(Arrived("a", ANN, True), failed=(BOB,)))
    assert (account.accepted, account.delivered, account.failed, account.lost) == (2, 1, 1, 0)
    account = settle(evidence(Arrived("a", ANN, True), waiting={("a", BOB): "the host is busy"}))
    assert (account.waiting, account.lost, account.reasons) == (1, 0, {"the host is busy": 1})
    assert account.whole


def test_what_is_nowhere_is_lost() -> None:
    account = settle(evidence(Arrived("a", ANN, True)))
    assert (account.lost, account.which["lost"], account.whole) == (1, [f"a {BOB}"], False)


def test_what_came_under_another_id_is_still_lost_under_this_one() -> None:
    account = settle(evidence(Arrived("b", ANN, True), Arrived("b", BOB, True)))
    assert (account.delivered, account.lost, account.repeated_by_clients) == (0, 2, 2)


def test_a_second_copy_is_explained_only_by_a_fault_that_it_was_under_way_at() -> None:
    arrived = (Arrived("a", ANN, True), Arrived("a", ANN, True), Arrived("a", BOB, True))
    account = settle(evidence(*arrived, under_way=(BOB,)))
    assert (account.duplicated, account.unexplained, account.whole) == (1, 1, False)
    account = settle(evidence(*arrived, under_way=(ANN,)))
    assert (account.duplicated, account.unexplained, account.whole) == (1, 0, True)


def test_a_letter_that_its_client_sent_twice_is_no_duplicate() -> None:
    again = Accepted(1, "b", (ANN, BOB))
    arrived = [Arrived(queue_id, recipient, True) for queue_id in "ab" for recipient in (ANN, BOB)]
    account = settle(evidence(*arrived, accepted=(BOTH, again)))
    assert (account.duplicated, account.repeated_by_clients, account.whole) == (0, 2, True)


def test_a_changed_octet_is_seen() -> None:
    account = settle(evidence(Arrived("a", ANN, True), Arrived("a", BOB, False)))
    assert (account.altered, account.whole) == (1, False)
