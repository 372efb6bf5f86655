"""When a password is replaced, and how long the one before still counts."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.queue.credentials import HASHES_MAX
from paquebot_operator.credentials.rotation import LOOK_MAX_S, Password, State, Wish, next_rotation_s, step

DAY = 86_400
WISH = Wish("app-smtp", interval_s=90 * DAY, overlap_s=DAY)
STATE = State((Password("h1", 0, delivered=True),), "uid-1", "mail:587")


def due(state: State, now_s: int, wish: Wish = WISH, uid: str = "uid-1", told: str = "mail:587") -> str:
    return step(state, wish, uid, told, now_s).fresh


def test_without_a_password_one_is_due() -> None:
    assert due(State(), 0)


def test_what_was_never_delivered_is_made_again_and_counts_no_more() -> None:
    state = STATE.with_new("h2", 5)
    assert due(state, 6)
    assert state.with_new("h3", 6).hashes == ("h3", "h1")


def test_a_password_is_replaced_when_its_time_has_come_and_not_before() -> None:
    assert not due(STATE, 90 * DAY - 1)
    assert due(STATE, 90 * DAY)
    assert not due(STATE, 9000 * DAY, Wish("app-smtp"))


def test_a_secret_that_is_another_one_or_tells_an_old_address_needs_a_new_password() -> None:
    assert due(STATE, 1, uid="uid-2")
    assert due(STATE, 1, told="smtp:587")


def test_the_password_before_counts_until_the_overlap_is_over() -> None:
    state = STATE.with_new("h2", 100).with_delivery("uid-1", "mail:587")
    assert step(state, WISH, "uid-1", "mail:587", 100 + DAY - 1).state.hashes == ("h2", "h1")
    assert step(state, WISH, "uid-1", "mail:587", 100 + DAY).state.hashes == ("h2",)


def test_the_password_before_counts_while_the_next_is_not_delivered() -> None:
    assert step(STATE.with_new("h2", 0), WISH, "uid-1", "mail:587", 10 * DAY).state.hashes == ("h2", "h1")


def test_it_looks_again_when_something_ends() -> None:
    state = STATE.with_new("h2", 100).with_delivery("uid-1", "mail:587")
    assert step(state, WISH, "uid-1", "mail:587", 100 + DAY - 30).look_s == 30
    assert step(state, WISH, "uid-1", "mail:587", 200).look_s == LOOK_MAX_S


def test_a_state_is_kept_as_text_and_a_broken_one_counts_as_none() -> None:
    assert State.decode(STATE.encoded()) == STATE
    for broken in ("", "{}", "[]", '{"passwords": [1]}', "nonsense"):
        assert State.decode(broken) == State()


def test_a_wish_has_its_defaults() -> None:
    assert Wish.of("app", {}) == Wish("app-smtp", 0, DAY)
    assert Wish.of("app", {"secretName": "s", "rotation": {"interval": "90d"}}) == Wish("s", 90 * DAY, DAY)
    assert next_rotation_s(STATE, WISH) == 90 * DAY
    assert next_rotation_s(STATE, Wish("s")) is None


@given(st.lists(st.tuples(st.integers(0, 40 * DAY), st.booleans()), max_size=30))
def test_whatever_happens_the_password_in_the_tenants_secret_lets_him_in(moves: list[tuple[int, bool]]) -> None:
    """Passwords come due and get lost on the way: the last one that was delivered is always among the hashes."""
    state, now, held = State(), 0, ""
    for number, (passed, arrives) in enumerate(moves):
        now += passed
        decided = step(state, WISH, "uid-1", "mail:587", now)
        state = decided.state
        if decided.fresh:
            state = state.with_new(f"h{number}", now)
            if arrives:
                state, held = state.with_delivery("uid-1", "mail:587"), f"h{number}"
        assert not held or held in state.hashes
        assert len(state.hashes) <= HASHES_MAX
