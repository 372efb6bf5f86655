"""Keys take turns, and nothing that can happen in between lets an unseen key sign or a used one vanish."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from paquebot_operator.dkim.recovery import matched, rebuilt
from paquebot_operator.dkim.rotation import (
    HANDOVER_S,
    MARGIN_S,
    NEVER_S,
    WAIT_MAX_S,
    Decision,
    Known,
    Wish,
    made,
    rotates_s,
    signing,
    step,
)
from paquebot_operator.dkim.slots import KEPT, SELECTORS, Keys, Phase
from paquebot_operator.dns.record import Sighting, Verdict

HOUR_S, DAY_S = 3600, 86_400
START_S = 1_764_000_000
BOTH = Wish(("RSA2048", "Ed25519"), interval_s=30 * DAY_S, overlap_s=7 * DAY_S, ttl_s=HOUR_S)
RSA = replace(BOTH, algorithms=("RSA2048",))
SPREAD_S = HOUR_S + MARGIN_S  # how long a new key must be seen while another signs


class Domain:
    """A domain's keys between looks at the DNS."""

    def __init__(self, wish: Wish = RSA) -> None:
        self.wish = wish
        self.keys = Keys()
        self.now_s = START_S
        self.sightings: dict[str, Sighting] = {}
        self.made = 0

    def step(self, after_s: int = 0) -> Decision:
        told = signing(self.keys, self.wish, self.now_s)
        self.now_s += after_s
        self.keys, decision = step(self.keys, self.wish, Known(self.sightings, told), self.now_s)
        for selector in decision.generate:
            self.made += 1
            self.keys = made(self.keys, selector, f"key {self.made}", self.now_s)
            self.sightings.pop(selector, None)
        return decision

    def see(self, selector: str, verdict: Verdict = Verdict.PRESENT, ttl_s: int = 0) -> None:
        self.sightings[selector] = Sighting(verdict, self.now_s, ttl_s=ttl_s)

    def phases(self) -> dict[str, str]:
        return {slot.selector: slot.phase.value for slot in self.keys.slots}

    def signing(self) -> tuple[str, ...]:
        return signing(self.keys, self.wish, self.now_s)

    def signs(self) -> "Domain":
        """Let the first key sign."""
        self.step()
        self.see("pq1-rsa")
        self.step()
        self.step()
        assert self.phases() == {"pq1-rsa": "Active"}
        return self

    def rotated(self) -> "Domain":
        """Let the second key take over from the first."""
        self.step(RSA.interval_s)
        self.see("pq2-rsa")
        self.step()
        self.now_s += SPREAD_S
        self.see("pq2-rsa")
        self.step()
        self.step()
        assert self.phases() == {"pq1-rsa": "Retiring", "pq2-rsa": "Active"}
        return self


def test_a_first_key_signs_as_soon_as_it_is_seen_and_not_before() -> None:
    domain = Domain()
    assert domain.step().generate == ("pq1-rsa",)
    domain.step(HOUR_S)
    assert (domain.phases(), domain.signing()) == ({"pq1-rsa": "Pending"}, ())
    domain.see("pq1-rsa")
    assert domain.step().due_in_s == 0
    assert (domain.phases(), domain.signing()) == ({"pq1-rsa": "Verified"}, ())
    domain.step()
    assert (domain.phases(), domain.signing()) == ({"pq1-rsa": "Active"}, ("pq1-rsa",))


def test_each_algorithm_has_keys_of_its_own() -> None:
    domain = Domain(BOTH)
    assert domain.step().generate == ("pq1-rsa", "pq1-ed")
    domain.see("pq1-ed")
    domain.step()
    domain.step()
    assert domain.signing() == ("pq1-ed",)


@pytest.mark.parametrize("verdict", [Verdict.MISSING, Verdict.DIFFERENT, Verdict.UNKNOWN])
def test_a_key_that_is_not_seen_does_not_sign(verdict: Verdict) -> None:
    domain = Domain()
    domain.step()
    domain.see("pq1-rsa", verdict)
    for _ in range(5):
        domain.step(DAY_S)
    assert domain.phases() == {"pq1-rsa": "Pending"}


def test_the_next_key_waits_until_all_have_forgotten_what_was_there_before() -> None:
    domain = Domain().signs()
    assert domain.step(RSA.interval_s - 1).generate == ()
    assert domain.step(1).generate == ("pq2-rsa",)
    domain.see("pq2-rsa")
    domain.step()
    assert domain.phases() == {"pq1-rsa": "Active", "pq2-rsa": "Published"}
    domain.now_s += SPREAD_S - 1
    domain.see("pq2-rsa")
    domain.step()
    assert domain.phases()["pq2-rsa"] == "Published"
    domain.now_s += 1
    domain.see("pq2-rsa")
    domain.step()
    domain.step()
    assert domain.phases() == {"pq1-rsa": "Retiring", "pq2-rsa": "Active"}
    assert domain.signing() == ("pq2-rsa", "pq1-rsa")


def test_a_long_time_to_live_seen_in_the_dns_lengthens_the_wait_up_to_a_day() -> None:
    domain = Domain().signs()
    domain.step(RSA.interval_s)
    domain.see("pq2-rsa", ttl_s=30 * DAY_S)
    domain.step()
    domain.now_s += WAIT_MAX_S - 1
    domain.see("pq2-rsa", ttl_s=30 * DAY_S)
    domain.step()
    assert domain.phases()["pq2-rsa"] == "Published"
    domain.now_s += 1
    domain.see("pq2-rsa", ttl_s=30 * DAY_S)
    domain.step()
    assert domain.phases()["pq2-rsa"] == "Verified"


@pytest.mark.parametrize(("verdict", "phase"), [(Verdict.MISSING, "Pending"), (Verdict.UNKNOWN, "Published")])
def test_a_record_that_vanishes_begins_anew_and_silence_only_delays(verdict: Verdict, phase: str) -> None:
    domain = Domain().signs()
    domain.step(RSA.interval_s)
    domain.see("pq2-rsa")
    domain.step()
    domain.now_s += SPREAD_S
    domain.see("pq2-rsa", verdict)
    domain.step()
    assert domain.phases()["pq2-rsa"] == phase


def test_a_used_key_stays_published_for_the_overlap_after_the_last_straggler() -> None:
    domain = Domain().signs().rotated()
    domain.step(HANDOVER_S)
    assert domain.signing() == ("pq2-rsa",)
    assert domain.step(RSA.overlap_s - 1).due_in_s == 1
    assert domain.phases()["pq1-rsa"] == "Retiring"
    domain.step(1)
    assert domain.phases()["pq1-rsa"] == "Retired"
    assert domain.keys.slot("pq1-rsa").key_id == ""  # type: ignore[union-attr]


def test_while_the_status_lets_a_key_sign_its_overlap_does_not_begin() -> None:
    domain = Domain().signs().rotated()
    later_s = domain.now_s + 30 * DAY_S
    keys, _ = step(domain.keys, domain.wish, Known(told=("pq1-rsa",)), later_s)  # no status could be written
    assert signing(keys, domain.wish, later_s) == ("pq2-rsa",)
    keys, _ = step(keys, domain.wish, Known(told=("pq2-rsa",)), later_s + RSA.overlap_s - 1)
    assert keys.slot("pq1-rsa").phase is Phase.RETIRING  # type: ignore[union-attr]
    keys, _ = step(keys, domain.wish, Known(told=("pq2-rsa",)), later_s + RSA.overlap_s)
    assert keys.slot("pq1-rsa").phase is Phase.RETIRED  # type: ignore[union-attr]


def test_the_two_selectors_take_turns() -> None:
    domain = Domain().signs().rotated()
    domain.step(HANDOVER_S + 1)
    domain.step(RSA.overlap_s)
    assert domain.step(RSA.interval_s).generate == ("pq1-rsa",)


def test_a_revoked_key_signs_no_more_and_its_successor_signs_when_it_is_seen() -> None:
    domain = Domain().signs()
    domain.wish = replace(RSA, revoked=frozenset({"pq1-rsa"}))
    assert domain.step().generate == ("pq2-rsa",)
    assert (domain.phases(), domain.signing()) == ({"pq1-rsa": "Retired", "pq2-rsa": "Pending"}, ())
    domain.see("pq2-rsa")
    domain.step()
    domain.step()
    assert domain.signing() == ("pq2-rsa",)


def test_when_the_new_key_is_revoked_the_one_before_signs_again_and_the_next_is_made() -> None:
    domain = Domain().signs().rotated()
    domain.wish = replace(RSA, revoked=frozenset({"pq2-rsa"}))
    domain.step()
    assert domain.signing() == ("pq1-rsa",)
    assert domain.step().generate == ("pq2-rsa",)
    assert domain.signing() == ("pq1-rsa",)


def test_a_revocation_counts_once_until_it_is_taken_out() -> None:
    domain = Domain().signs()
    domain.wish = replace(RSA, revoked=frozenset({"pq1-rsa"}))
    domain.step()
    domain.see("pq2-rsa")
    domain.step()
    domain.step()
    assert domain.step(RSA.interval_s).generate == ("pq1-rsa",)
    domain.step()
    assert domain.phases()["pq1-rsa"] == "Pending"
    domain.wish = RSA
    domain.step()
    domain.wish = replace(RSA, revoked=frozenset({"pq1-rsa"}))
    domain.step()
    assert domain.keys.slot("pq1-rsa").key_id != "key 3"  # type: ignore[union-attr]


def test_a_selector_that_had_another_key_lately_waits_though_nothing_signs() -> None:
    domain = Domain().signs().rotated()
    domain.wish = replace(RSA, revoked=frozenset({"pq1-rsa", "pq2-rsa"}))
    domain.step()
    (selector,) = domain.step().generate
    domain.see(selector)
    domain.step()
    assert domain.phases()[selector] == "Published"


def test_an_algorithm_that_is_not_wanted_signs_no_more_and_comes_back_while_it_is_published() -> None:
    domain = Domain(BOTH)
    domain.step()
    domain.see("pq1-rsa")
    domain.see("pq1-ed")
    domain.step()
    domain.step()
    domain.wish = RSA
    domain.step()
    assert (domain.phases()["pq1-ed"], domain.signing()) == ("Retiring", ("pq1-rsa",))
    domain.wish = BOTH
    domain.step(DAY_S)
    assert domain.signing() == ("pq1-rsa", "pq1-ed")


@pytest.mark.parametrize(("first", "then"), [("RSA2048", "Ed25519"), ("Ed25519", "RSA2048")])
def test_the_key_of_the_algorithm_before_signs_until_one_that_is_wanted_can(first: str, then: str) -> None:
    (old, _), (new, _) = SELECTORS[first], SELECTORS[then]
    domain = Domain(replace(RSA, algorithms=(first,)))
    domain.step()
    domain.see(old)
    domain.step()
    domain.step()
    domain.wish = replace(RSA, algorithms=(then,))
    assert domain.step().generate == (new,)
    domain.step(30 * DAY_S)
    assert (domain.phases(), domain.signing()) == ({old: "Active", new: "Pending"}, (old,))
    domain.see(new)
    domain.step()
    domain.step()
    assert (domain.phases(), domain.signing()) == ({old: "Retiring", new: "Active"}, (new,))


def test_a_clock_that_was_set_back_ends_no_wait_early() -> None:
    domain = Domain().signs().rotated()
    domain.now_s -= 3 * DAY_S
    domain.step()
    domain.step(HANDOVER_S)
    assert domain.step(RSA.overlap_s - 1).due_in_s == 1
    assert domain.phases()["pq1-rsa"] == "Retiring"


def test_no_key_is_made_under_a_selector_that_the_status_lets_sign() -> None:
    domain = Domain().signs().rotated()
    wish = replace(RSA, revoked=frozenset({"pq1-rsa", "pq2-rsa"}))
    known = Known(told=("pq2-rsa", "pq1-rsa"))  # no status could be written since
    keys, decision = step(domain.keys, wish, known, domain.now_s)
    assert decision.generate == ()
    assert step(keys, wish, Known(), domain.now_s)[1].generate == ("pq1-rsa",)


def test_when_keys_rotate_next_is_told_once_one_signs() -> None:
    assert rotates_s(Domain().keys, RSA) is None
    domain = Domain().signs()
    assert rotates_s(domain.keys, RSA) == domain.now_s + RSA.interval_s
    assert domain.step().due_in_s == RSA.interval_s
    assert step(Keys(), replace(RSA, algorithms=()), Known(), START_S)[1].due_in_s == NEVER_S


class World(RuleBasedStateMachine):
    """A domain, its DNS, and an operator that crashes. Clocks: the true one, and the operator's, which is set back."""

    def __init__(self) -> None:
        super().__init__()
        self.true_s, self.behind_s = START_S, 0
        self.wish = BOTH
        self.stored: Keys | None = Keys()
        self.ids: dict[str, str] = {}  # the keys in the Secret
        self.zone: dict[str, str] = {}  # what the DNS says
        self.published: dict[str, str] = {}  # what it is to say
        self.told: tuple[str, ...] = ()
        self.told_ids: dict[str, str] = {}
        self.answers = True
        self.looks: dict[tuple[str, str], Sighting] = {}
        self.verified: set[tuple[str, str]] = set()
        self.used_s: dict[tuple[str, str], int] = {}
        self.counted = 0
        self.must_sign = False

    @property
    def now_s(self) -> int:
        return self.true_s - self.behind_s

    @initialize()
    def begin(self) -> None:
        self.reconcile("")

    @rule(minutes=st.sampled_from([1, 10, 65, 24 * 60, 8 * 24 * 60, 31 * 24 * 60]))
    def time_goes_by(self, minutes: int) -> None:
        self.use()
        self.true_s += minutes * 60
        self.use()

    @rule(
        steps=st.sampled_from([1, 6, 30, 110]),
        crash=st.sampled_from(["", "", "before the Secret", "before the status"]),
    )
    def all_goes_on(self, steps: int, crash: str) -> None:
        """Let seven hours go by so many times, with a DNS that follows, and writes that all fail in one way."""
        for _ in range(steps):
            self.time_goes_by(7 * 60)
            self.reconcile(crash)
            self.dns_follows()
            self.look()
            self.what_signs_was_seen_in_the_dns()
            self.what_signed_within_the_overlap_is_published()

    @rule(hours=st.integers(1, 48))
    def clock_is_set_back(self, hours: int) -> None:
        self.behind_s += hours * HOUR_S

    @rule()
    def dns_follows(self) -> None:
        self.zone = dict(self.published)

    @rule(answers=st.booleans())
    def dns_answers(self, answers: bool) -> None:
        self.answers = answers

    @rule()
    def dns_is_emptied(self) -> None:
        self.zone = {}

    @rule()
    def look(self) -> None:
        for selector, key_id in self.published.items():
            found = self.zone.get(selector)
            verdict = Verdict.PRESENT if found == key_id else Verdict.DIFFERENT if found else Verdict.MISSING
            verdict = verdict if self.answers else Verdict.UNKNOWN
            self.looks[selector, key_id] = Sighting(verdict, self.now_s)
            if verdict is Verdict.PRESENT:
                self.verified.add((selector, key_id))

    @rule(selector=st.sampled_from(sum(SELECTORS.values(), ())))
    def revoke(self, selector: str) -> None:
        self.wish = replace(self.wish, revoked=self.wish.revoked | {selector})
        self.must_sign = False

    @rule()
    def revocations_are_taken_out(self) -> None:
        self.wish = replace(self.wish, revoked=frozenset())

    @rule(algorithms=st.sampled_from([("RSA2048",), ("Ed25519",), ("RSA2048", "Ed25519")]))
    def algorithms_change(self, algorithms: tuple[str, ...]) -> None:
        self.wish = replace(self.wish, algorithms=algorithms)

    @rule()
    def state_is_lost(self) -> None:
        self.stored = None
        self.must_sign = False

    @rule(crash=st.sampled_from(["", "", "", "before the Secret", "before the status"]))
    def reconcile(self, crash: str) -> None:
        told = tuple(each for each in self.told if self.told_ids.get(each) == self.ids.get(each))
        known = self.stored
        keys = matched(known, self.ids, self.now_s) if known else rebuilt(self.ids, told, self.now_s)
        sightings = {
            slot.selector: self.looks[slot.selector, slot.key_id]
            for slot in keys.slots
            if (slot.selector, slot.key_id) in self.looks
        }
        keys, decision = step(keys, self.wish, Known(sightings, self.told), self.now_s)
        for selector in decision.generate:
            self.counted += 1
            keys = made(keys, selector, f"key {self.counted}", self.now_s)
        if crash == "before the Secret":
            return
        before = set(self.ids.items())
        self.stored = keys
        self.ids = {slot.selector: slot.key_id for slot in keys.slots if slot.is_kept}
        self.published = dict(self.ids)
        for gone in before - set(self.ids.items()):
            if gone[0] in self.wish.revoked:
                self.used_s.pop(gone, None)
        if crash != "before the status":
            self.told = signing(keys, self.wish, self.now_s)
            self.told_ids = dict(self.ids)
            self.must_sign = self.must_sign or bool(self.told)

    def use(self) -> None:
        for selector in self.told:
            if selector in self.ids:
                self.used_s[selector, self.ids[selector]] = self.true_s

    @invariant()
    def what_signs_was_seen_in_the_dns(self) -> None:
        assert {(each, self.ids[each]) for each in self.told if each in self.ids} <= self.verified

    @invariant()
    def what_is_signed_stays_signed(self) -> None:
        """Nothing but a revocation or a lost state leaves mail without a signature."""
        assert self.told or not self.must_sign

    @invariant()
    def what_signed_within_the_overlap_is_published(self) -> None:
        lately = {key for key, used_s in self.used_s.items() if self.true_s - used_s < self.wish.overlap_s}
        assert lately <= set(self.published.items())

    @invariant()
    def one_key_of_an_algorithm_is_active(self) -> None:
        keys = self.stored or Keys()
        active = [slot.algorithm for slot in keys.slots if slot.phase is Phase.ACTIVE]
        assert len(active) == len(set(active))
        assert all(slot.key_id for slot in keys.slots if slot.phase in KEPT)

    def teardown(self) -> None:
        """With a good DNS every algorithm comes to sign, and its keys to be replaced."""
        self.answers = True
        signed: set[tuple[str, str]] = set()
        for _ in range(9):
            self.all_goes_on(30, "")
            signed |= {(each, self.ids[each]) for each in self.told}
        for algorithm in self.wish.algorithms:
            pair = SELECTORS[algorithm]
            assert set(self.told) & set(pair)
            assert len({key for key in signed if key[0] in pair}) > 1


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
