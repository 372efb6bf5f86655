"""At every moment every leaf in use is trusted by everybody, whatever fails, lags or gets lost in between."""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot_operator.tls.rotation import (
    DAY_S,
    LEAF_DAYS,
    ROOT_DAYS,
    SETTLE_S,
    Authority,
    Issued,
    Root,
    Step,
    Write,
    next_step,
    with_root,
)

WANTED = {"auth": ("auth",), "router": ("router",), "nats": ("nats", "paquebot-nats")}
LAG_MAX_S = SETTLE_S - 60


@dataclass
class Cluster:
    """Secrets, and processes that read theirs late. Certificates are no more than who issued them."""

    now_s: int = 1_000_000
    authority: Authority | None = field(default_factory=Authority)
    roots_made: int = 0
    secrets: dict[str, Issued] = field(default_factory=dict)
    in_use: dict[str, Issued] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)  # how many roots were trusted, as it changed

    def step(self, fails_after: int = 99) -> Step:
        """Look once, as the operator does; what it writes may end in the middle."""
        known = self.authority
        if known is None:
            lost = sorted(self.trusted_anywhere(), key=lambda id_: int(id_[1:]))
            known = Authority(tuple(Root(id_, 0, 0, can_sign=False) for id_ in lost))
        step = next_step(known, WANTED, self.secrets, self.now_s)
        self.authority = step.authority
        if step.make_root:
            self.roots_made += 1
            root = Root(f"r{self.roots_made}", self.now_s, self.now_s + ROOT_DAYS * DAY_S)
            self.authority = with_root(self.authority, root)
        for secret, write in step.writes[:fails_after]:
            self.secrets[secret] = self.written(secret, write)
        if not self.seen or self.seen[-1] != len(self.authority.roots):
            self.seen.append(len(self.authority.roots))
        return step

    def written(self, secret: str, write: Write) -> Issued:
        assert self.authority is not None
        signer, trusts = self.authority.signer, self.authority.trusted
        assert signer is not None
        if write is Write.ROOTS:
            return replace(self.secrets[secret], trusts=trusts, written_s=self.now_s)
        ends_s = self.now_s + LEAF_DAYS * DAY_S
        return Issued(signer.id, trusts, WANTED[secret], self.now_s, ends_s, self.now_s)

    def trusted_anywhere(self) -> set[str]:
        return {root for each in self.secrets.values() for root in each.trusts}

    def pass_time(self, seconds: int) -> None:
        """Let time go by; who has not read for longer than processes may lag reads."""
        self.now_s += seconds
        for secret, issued in self.secrets.items():
            if self.now_s - issued.written_s > LAG_MAX_S:
                self.in_use[secret] = issued

    def read(self, secret: str) -> None:
        if secret in self.secrets:
            self.in_use[secret] = self.secrets[secret]

    def check(self) -> None:
        for leaf in self.in_use.values():
            assert leaf.ends_s > self.now_s
            assert all(leaf.root in other.trusts for other in self.in_use.values())


def settled() -> Cluster:
    cluster = Cluster()
    for _ in range(4):
        cluster.step()
    for secret in WANTED:
        cluster.read(secret)
    return cluster


def test_the_first_root_issues_at_once() -> None:
    cluster = settled()
    assert cluster.roots_made == 1
    assert {each.root for each in cluster.secrets.values()} == {"r1"}
    assert cluster.step().writes == ()


def test_a_leaf_is_issued_again_at_two_thirds_of_its_life_and_not_before() -> None:
    cluster = settled()
    cluster.pass_time(60 * DAY_S - 1)
    assert cluster.step().writes == ()
    cluster.pass_time(1)
    assert {write for _, write in cluster.step().writes} == {Write.LEAF}
    assert cluster.roots_made == 1


def test_other_names_need_another_leaf() -> None:
    cluster = settled()
    assert cluster.authority is not None
    wanted = {**WANTED, "auth": ("auth", "auth.example")}
    assert next_step(cluster.authority, wanted, cluster.secrets, cluster.now_s).writes == (("auth", Write.LEAF),)


def test_a_root_changes_in_three_steps_with_time_in_between() -> None:
    cluster = settled()
    cluster.pass_time(ROOT_DAYS * DAY_S * 2 // 3)
    cluster.step()  # leaves that are due
    said = []
    for _ in range(12):
        step = cluster.step()
        said.append("make" if step.make_root else "write" if step.writes else "wait" if step.wait_s else "turn")
        cluster.pass_time(step.wait_s)
    assert said[:9] == ["make", "write", "wait", "turn", "write", "wait", "turn", "write", "turn"]
    assert {each.root for each in cluster.secrets.values()} == {"r2"}
    assert {each.trusts for each in cluster.secrets.values()} == {frozenset({"r2"})}


def test_a_lost_authority_is_replaced_as_carefully_as_an_old_one() -> None:
    cluster = settled()
    cluster.authority = None
    cluster.step()
    cluster.step()
    assert {each.root for each in cluster.secrets.values()} == {"r1"}
    assert {each.trusts for each in cluster.secrets.values()} == {frozenset({"r1", "r2"})}


EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([1, 30, 300, SETTLE_S, DAY_S, 20 * DAY_S])),
    st.tuples(st.just("step"), st.integers(0, 4)),
    st.tuples(st.just("read"), st.sampled_from(sorted(WANTED))),
    st.tuples(st.just("lose"), st.just(0)),
    st.tuples(st.just("age"), st.just(0)),
)


@settings(max_examples=300)
@given(events=st.lists(EVENTS, max_size=60))
def test_every_leaf_in_use_is_trusted_by_everybody_at_every_moment(events: list[tuple[str, object]]) -> None:
    cluster = settled()
    for kind, value in events:
        match kind:
            case "pass":
                for _ in range(8):  # the operator looks often; it is never idle for days
                    cluster.step()
                cluster.pass_time(int(value))  # type: ignore[call-overload]
            case "step":
                cluster.step(int(value))  # type: ignore[call-overload]
            case "read":
                cluster.read(str(value))
            case "lose":
                cluster.authority = None
            case "age" if cluster.authority is not None:
                old = tuple(replace(root, ends_s=cluster.now_s) for root in cluster.authority.roots)
                cluster.authority = replace(cluster.authority, roots=old)
        cluster.check()
    for _ in range(60):
        cluster.pass_time(cluster.step().wait_s)
        cluster.check()
    assert len(cluster.authority.roots) == 1 if cluster.authority else False
