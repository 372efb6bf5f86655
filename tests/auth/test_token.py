"""A token counts only when the cluster signed it, for us, for now; nothing that anybody sends raises."""

import hmac
import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paquebot.auth.token import (
    LEEWAY_S,
    TOKEN_MAX_BYTES,
    Account,
    Unfit,
    Verifier,
    claimed,
    looks_like_token,
)
from token_making import CURVES, ISSUER, Cluster, jwk, new_key, segment

NOW_S = 1_795_000_000
CLUSTER = Cluster()
RSA = Cluster("RS256", "rsa-1", new_key("RS256"))
VERIFIER = Verifier(CLUSTER.identity(jwk(RSA.key, "RS256", "rsa-1")))
WEB = Account("shop", "web")


def verdict(token: bytes, now_s: float = NOW_S) -> Account | str:
    found = VERIFIER.verify(token, now_s)
    return found.reason if isinstance(found, Unfit) else found


def said(**claims: Any) -> Account | str:
    return verdict(CLUSTER.token("shop.web", NOW_S, **claims))


@pytest.mark.parametrize("cluster", [CLUSTER, RSA])
def test_a_token_of_the_cluster_tells_the_account(cluster: Cluster) -> None:
    token = cluster.token("shop.web", NOW_S)
    assert verdict(token) == WEB
    assert WEB.username == "shop.web"
    assert claimed(token) == "system:serviceaccount:shop:web"
    assert looks_like_token(token)


@pytest.mark.parametrize("algorithm", CURVES)
def test_every_curve_of_an_api_server_is_verified(algorithm: str) -> None:
    cluster = Cluster(algorithm, "key-1", new_key(algorithm))
    assert Verifier(cluster.identity()).verify(cluster.token("shop.web", NOW_S), NOW_S) == WEB


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://other.test"}, "token of another issuer"),
        ({"iss": None}, "token of another issuer"),
        ({"iss": [ISSUER]}, "token of another issuer"),
        ({"aud": ["https://kubernetes.default.svc"]}, "token for another audience"),
        ({"aud": "paquebots"}, "token for another audience"),
        ({"aud": {"paquebot": 1}}, "token for another audience"),
        ({"aud": None}, "token for another audience"),
        ({"exp": None}, "token without end"),
        ({"exp": "4000000000"}, "token without end"),
        ({"exp": True}, "token without end"),
        ({"exp": math.inf}, "token without end"),
        ({"exp": 10**400}, "token without end"),
        ({"exp": math.nan}, "token without end"),
        ({"nbf": "now"}, "token not valid yet"),
        ({"sub": "system:node:one"}, "token of no ServiceAccount"),
        ({"sub": "system:serviceaccount:shop:web\n"}, "token of no ServiceAccount"),
        ({"sub": "system:serviceaccount:shop:"}, "token of no ServiceAccount"),
        ({"sub": "system:serviceaccount:shop:web:x"}, "token of no ServiceAccount"),
        ({"sub": None}, "token of no ServiceAccount"),
        ({"sub": ["system:serviceaccount:shop:web"]}, "token of no ServiceAccount"),
    ],
)
def test_what_a_token_says_must_all_fit(claims: dict[str, Any], reason: str) -> None:
    assert said(**claims) == reason


@pytest.mark.parametrize("audience", ["paquebot", ["other", "paquebot"]])
def test_we_may_be_one_of_several_audiences(audience: object) -> None:
    assert said(aud=audience) == WEB


def test_times_count_to_the_second_with_a_minute_for_clocks_that_differ() -> None:
    token = CLUSTER.token("shop.web", NOW_S, exp=NOW_S + 600, nbf=NOW_S)
    assert verdict(token, NOW_S - LEEWAY_S) == WEB
    assert verdict(token, NOW_S - LEEWAY_S - 0.1) == "token not valid yet"
    assert verdict(token, NOW_S + 600 + LEEWAY_S - 0.1) == WEB
    assert verdict(token, NOW_S + 600 + LEEWAY_S) == "token expired"


def test_a_token_need_not_say_when_it_begins() -> None:
    assert said(nbf=None) == WEB


def test_another_clusters_key_of_the_same_id_signs_nothing_here() -> None:
    assert verdict(Cluster().token("shop.web", NOW_S)) == "token with a wrong signature"


@pytest.mark.parametrize("header", [{"kid": "key-2"}, {"kid": None}, {"kid": 7}, {"kid": "rsa-1"}])
def test_a_key_must_be_named_and_known(header: dict[str, Any]) -> None:
    assert verdict(CLUSTER.token("shop.web", NOW_S, header)) in {"token signed with an unknown key", "no token"}


@pytest.mark.parametrize("algorithm", ["none", "None", "", None, "HS256", "RS256", "ES512", "PS256", ["ES256"]])
def test_a_token_cannot_choose_its_algorithm(algorithm: object) -> None:
    assert verdict(CLUSTER.token("shop.web", NOW_S, {"alg": algorithm})) == "token signed with an unknown key"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_signed_with_the_public_key_as_secret_or_not_at_all_does_not_count(algorithm: str) -> None:
    honest = CLUSTER.token("shop.web", NOW_S)
    public = json.dumps(jwk(CLUSTER.key, "ES256", "key-1")).encode()
    body = segment({"alg": algorithm, "kid": "key-1"}) + b"." + honest.split(b".")[1]
    mark = b"" if algorithm == "none" else hmac.digest(public, body, "sha256")
    assert verdict(body + b"." + segment(mark)) == "token signed with an unknown key"


def test_changed_claims_do_not_count() -> None:
    head, _body, mark = CLUSTER.token("shop.web", NOW_S).split(b".")
    other = CLUSTER.token("shop.admin", NOW_S).split(b".")[1]
    assert verdict(b".".join((head, other, mark))) == "token with a wrong signature"


def test_what_tells_the_cluster_signed_it_is_no_guess() -> None:
    for token, is_signed in (
        (CLUSTER.token("shop.web", NOW_S, exp=1), True),
        (CLUSTER.token("shop.web", NOW_S, aud="other"), True),
        (Cluster().token("shop.web", NOW_S), False),
        (b"eyJ.eyJ.", False),
    ):
        found = VERIFIER.verify(token, NOW_S)
        assert isinstance(found, Unfit)
        assert found.is_signed is is_signed


def test_a_token_may_be_as_large_as_allowed() -> None:
    empty = len(CLUSTER.token("shop.web", NOW_S, pad=""))
    fits = (TOKEN_MAX_BYTES - empty) * 3 // 4
    token = CLUSTER.token("shop.web", NOW_S, pad="x" * fits)
    assert TOKEN_MAX_BYTES - 4 <= len(token) <= TOKEN_MAX_BYTES
    assert verdict(token) == WEB
    larger = CLUSTER.token("shop.web", NOW_S, pad="x" * (fits + 6))
    assert len(larger) > TOKEN_MAX_BYTES
    assert verdict(larger) == "token too large"
    assert claimed(larger) == ""


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'"text"', b"7", b"\xff", b"[" * 3000, b"9" * 5000])
def test_signed_nonsense_says_nothing(payload: bytes) -> None:
    token = CLUSTER.signed(payload)
    assert verdict(token) == "token of another issuer"
    assert claimed(token) == ""


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c",
        b"\xff.\xff.\xff",
        segment([]) + b".e30.",
        segment(b"[" * 3000) + b".e30.",
        segment({"alg": "ES256", "kid": "key-1", "crit": ["b64"], "b64": False}) + b"..",
        segment({"alg": "ES256", "kid": "key-1", "crit": ["exp"]}) + b".e30.AA",
        CLUSTER.token("shop.web", NOW_S) + b".",
        CLUSTER.token("shop.web", NOW_S) + b" ",
        CLUSTER.token("shop.web", NOW_S)[:-1],
    ],
)
def test_what_is_no_token_does_not_count(token: bytes) -> None:
    assert isinstance(verdict(token), str)
    assert VERIFIER.verify(token, NOW_S) != WEB


@given(st.binary(max_size=400))
@example(b"eyJ.eyJ.")
def test_random_octets_never_raise_and_never_count(octets: bytes) -> None:
    assert isinstance(VERIFIER.verify(octets, NOW_S), Unfit)
    assert claimed(octets) == ""
    looks_like_token(octets)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c"]), JSON), claims=JSON)
def test_any_header_never_raises_and_never_counts(header: dict[str, Any], claims: object) -> None:
    token = segment(header) + b"." + segment(claims) + b"." + segment(b"x" * 64)
    assert isinstance(VERIFIER.verify(token, NOW_S), Unfit)
    claimed(token)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "sub"]), JSON))
def test_any_signed_claims_never_raise(claims: dict[str, Any]) -> None:
    assert isinstance(VERIFIER.verify(CLUSTER.signed(claims), NOW_S), Unfit)


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_bit_changed_is_another_token(position: int, bit: int) -> None:
    token = bytearray(CLUSTER.token("shop.web", NOW_S))
    token[position % len(token)] ^= 1 << bit
    assert isinstance(VERIFIER.verify(bytes(token), NOW_S), Unfit)


def test_passwords_do_not_look_like_tokens() -> None:
    assert not any(
        map(looks_like_token, (b"correct horse", b"eyJ", b"eyJ.eyJ", b"a.b.c", b"eyJ.eyJ.x\n", b"eyJ.eyJ.="))
    )


def test_keys_that_are_none_and_short_ones_are_left_out() -> None:
    short = jwk(new_key("RS256", 1024), "RS256", "short")
    off_curve = jwk(CLUSTER.key, "ES256", "off") | {"x": "A" * 43}
    wrong_length = jwk(CLUSTER.key, "ES256", "length") | {"x": "AQ"}
    verifier = Verifier(CLUSTER.identity(short, off_curve, wrong_length))
    assert repr(verifier) == f"<Verifier {ISSUER} 1 keys>"
    assert verifier.verify(CLUSTER.token("shop.web", NOW_S), NOW_S) == WEB
