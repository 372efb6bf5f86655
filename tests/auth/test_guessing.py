"""Guessing slows down and stops, and shuts nobody else out."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.auth import guessing
from paquebot.auth.guessing import ADDRESS_FAILURES_MAX, FORGIVEN_MS, USERNAME_FAILURES_MAX, Guessing

HERE, THERE = "192.0.2.1", "198.51.100.1"
NOW = 1_790_000_000_000


def burst(state: Guessing, username: str, address: str, failures: int, now_ms: int = NOW) -> list[int]:
    return [state.failed(username, address, now_ms) for _ in range(failures)]


def besieged(username: str) -> Guessing:
    """Return a state in which many addresses have failed on one user name."""
    state = Guessing()
    for at in range(USERNAME_FAILURES_MAX):
        state.failed(username, f"203.0.113.{at}", NOW)
    return state


def test_answers_are_held_back_ever_longer_up_to_a_limit() -> None:
    delays = burst(Guessing(), "shop.web", HERE, 8)
    assert delays == [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]


def test_an_address_is_turned_away_at_its_limit_for_any_user_name() -> None:
    state = Guessing()
    burst(state, "shop.web", HERE, ADDRESS_FAILURES_MAX - 1)
    assert state.is_heard("news.letters", HERE, NOW)
    burst(state, "shop.web", HERE, 1)
    assert not state.is_heard("news.letters", HERE, NOW)


def test_an_address_is_heard_again_when_a_failure_is_forgiven() -> None:
    state = Guessing()
    burst(state, "shop.web", HERE, ADDRESS_FAILURES_MAX)
    assert not state.is_heard("shop.web", HERE, NOW + FORGIVEN_MS - 1)
    assert state.is_heard("shop.web", HERE, NOW + FORGIVEN_MS)


def test_a_burst_from_one_address_does_not_shut_the_user_name_out_elsewhere() -> None:
    state = Guessing()
    for _ in range(1000):
        if state.is_heard("shop.web", HERE, NOW):
            state.failed("shop.web", HERE, NOW)
    assert not state.is_heard("shop.web", HERE, NOW)
    assert state.is_heard("shop.web", THERE, NOW)


def test_a_user_name_many_addresses_failed_on_is_heard_once_a_second() -> None:
    state = besieged("shop.web")
    assert state.is_heard("shop.web", HERE, NOW)
    state.hear("shop.web", NOW)
    assert not state.is_heard("shop.web", HERE, NOW + guessing.HEARD_EVERY_MS - 1)
    assert state.is_heard("shop.web", HERE, NOW + guessing.HEARD_EVERY_MS)


def test_who_succeeded_from_an_address_is_heard_there_whatever_others_do() -> None:
    state = Guessing()
    state.succeeded("shop.web", HERE, NOW)
    burst(state, "news.letters", HERE, ADDRESS_FAILURES_MAX)
    for at in range(USERNAME_FAILURES_MAX):
        state.failed("shop.web", f"203.0.113.{at}", NOW)
    state.hear("shop.web", NOW)
    assert not state.is_heard("news.letters", HERE, NOW)
    assert state.is_heard("shop.web", HERE, NOW)


def test_who_is_known_is_still_turned_away_after_failures_of_its_own() -> None:
    state = Guessing()
    state.succeeded("shop.web", HERE, NOW)
    burst(state, "shop.web", HERE, ADDRESS_FAILURES_MAX)
    assert not state.is_heard("shop.web", HERE, NOW)
    assert state.is_heard("news.letters", HERE, NOW)


def test_nobody_is_known_after_a_day() -> None:
    state = Guessing()
    state.succeeded("shop.web", HERE, NOW - guessing.KNOWN_MS)
    burst(state, "news.letters", HERE, ADDRESS_FAILURES_MAX)
    assert not state.is_heard("shop.web", HERE, NOW)


def test_the_same_wrong_password_again_counts_for_its_own_pair_alone() -> None:
    state = Guessing()
    delays = [state.failed_again("shop.web", HERE, NOW) for _ in range(ADDRESS_FAILURES_MAX)]
    assert delays[:3] == [250, 500, 1000]
    assert not state.is_heard("shop.web", HERE, NOW)
    assert state.is_heard("news.letters", HERE, NOW)
    assert state.is_heard("shop.web", THERE, NOW)


def test_success_resets_the_user_name_and_not_the_address() -> None:
    state = Guessing()
    burst(state, "shop.web", HERE, 5)
    state.succeeded("shop.web", HERE, NOW)
    assert state.failed("shop.web", THERE, NOW) == 250
    assert state.failed("news.letters", HERE, NOW) == 8000


def test_an_ipv6_guesser_owns_its_64() -> None:
    assert guessing.network("2001:db8::1") == guessing.network("2001:db8::ffff:1")
    assert guessing.network("2001:db8::1") != guessing.network("2001:db8:0:1::1")
    assert guessing.network("fe80::1%eth0") == "fe80::/64"
    assert guessing.network("::ffff:192.0.2.1") == HERE
    assert guessing.network("nonsense") == "nonsense"


def test_tables_stay_bounded() -> None:
    state = Guessing()
    assert repr(state) == "<Guessing 0 addresses, 0 user names, 0 known pairs>"
    for at in range(guessing.TABLE_MAX + 1):
        state.failed(f"u{at}", f"a{at}", NOW)
        state.succeeded(f"v{at}", f"b{at}", NOW)
    count = guessing.TABLE_MAX
    assert repr(state) == f"<Guessing {count} addresses, {count} user names, {count} known pairs>"


@given(failures=st.floats(min_value=0, max_value=1e9))
def test_a_delay_is_never_over_its_limit(failures: float) -> None:
    assert 0 < guessing.delay_ms(failures) <= guessing.DELAY_MAX_MS


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(-60_000, 60_000)), max_size=60))
def test_no_clock_makes_an_address_pass_its_limit(steps: list[tuple[int, int]]) -> None:
    state = Guessing()
    now = NOW
    for user, step in steps:
        now += step
        if state.is_heard(f"u{user}", HERE, now):
            state.failed(f"u{user}", HERE, now)
        assert state._addresses.tallies[HERE].now(now) <= ADDRESS_FAILURES_MAX
