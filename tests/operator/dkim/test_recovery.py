"""What is known of keys is made to agree with the keys that are there."""

from paquebot_operator.dkim.recovery import matched, rebuilt
from paquebot_operator.dkim.slots import Keys, Phase, Slot

NOW_S = 1_764_000_000
KEYS = Keys().put(
    Slot("pq1-rsa", Phase.RETIRING, NOW_S - 10, "old", signs_since_s=5),
    Slot("pq2-rsa", Phase.ACTIVE, NOW_S - 10, "new", signs_since_s=10),
)


def phases(keys: Keys) -> dict[str, str]:
    return {slot.selector: slot.phase.value for slot in keys.slots}


def test_keys_that_are_there_stay_as_they_were() -> None:
    assert matched(KEYS, {"pq1-rsa": "old", "pq2-rsa": "new"}, NOW_S) == KEYS


def test_a_lost_key_is_gone_and_another_under_its_name_begins_anew() -> None:
    keys = matched(KEYS, {"pq2-rsa": "stranger"}, NOW_S)
    assert phases(keys) == {"pq1-rsa": "Retired", "pq2-rsa": "Pending"}
    assert keys.slot("pq2-rsa") == Slot("pq2-rsa", Phase.PENDING, NOW_S, "stranger", free_s=NOW_S)


def test_of_keys_of_which_nothing_is_known_the_first_that_was_told_signs_on() -> None:
    ids = {"pq1-rsa": "a", "pq2-rsa": "b", "pq1-ed": "c"}
    assert phases(rebuilt(ids, ["pq2-rsa"], NOW_S)) == {
        "pq1-rsa": "Retiring",
        "pq2-rsa": "Active",
        "pq1-ed": "Pending",
    }


def test_a_key_that_was_told_and_is_lost_leaves_its_selector_in_peace() -> None:
    keys = rebuilt({}, ["pq1-rsa", "unknown"], NOW_S)
    assert keys == Keys((Slot("pq1-rsa", Phase.RETIRED, NOW_S),))
