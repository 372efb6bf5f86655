"""A token is as good as the password of the credential that names its account, and of no other."""

from dataclasses import replace

import pytest

from paquebot.auth.bearer import Bearers
from paquebot.auth.token import Unfit
from paquebot.policy.values import Policy, SMTPCredential
from token_making import Cluster

NOW_MS = 1_795_000_000_000
CLUSTER = Cluster()
WEB = SMTPCredential("shop", "orders", service_accounts=("web", "web.worker"))
NEWS = SMTPCredential("news", "weekly")
POLICY = Policy(credentials={each.username: each for each in (WEB, NEWS)}, cluster=CLUSTER.identity())


def asked(account: str = "shop.web", username: str = "", policy: Policy = POLICY) -> SMTPCredential | str:
    token = CLUSTER.token(account, NOW_MS / 1000)
    found = Bearers(policy).credential(token, username, NOW_MS)
    if isinstance(found, Unfit):
        assert found.is_signed or policy.cluster is None
        return found.reason
    return found


@pytest.mark.parametrize("username", ["", "shop.orders", "shop.web"])
def test_the_account_may_come_with_its_own_name_the_credentials_or_none(username: str) -> None:
    assert asked(username=username) is WEB


def test_an_accounts_name_may_have_dots() -> None:
    assert asked("shop.web.worker", "shop.web.worker") is WEB


@pytest.mark.parametrize("username", ["news.weekly", "web", "shop.web.worker", "SHOP.WEB", " "])
def test_it_may_not_come_with_the_name_of_another(username: str) -> None:
    assert asked(username=username) == "token with the user name of another"


@pytest.mark.parametrize("account", ["shop.other", "news.web", "news.weekly", "shop.orders"])
def test_an_account_that_is_not_named_and_one_of_another_namespace_may_do_nothing(account: str) -> None:
    assert asked(account) == "token of an account that no credential names"


def test_suspended_and_expired_credentials_end_tokens_too() -> None:
    for change, reason in (({"suspend": True}, "suspended"), ({"expires_at_ms": NOW_MS}, "expired")):
        fallen = replace(WEB, **change)
        assert asked(policy=replace(POLICY, credentials={fallen.username: fallen})) == reason


def test_without_a_cluster_no_token_counts() -> None:
    alone = replace(POLICY, cluster=None)
    assert asked(policy=alone) == "token, but no cluster is known"
    assert not Bearers(alone).are_known
    assert Bearers(POLICY).are_known
    assert repr(Bearers(alone)) == "<Bearers None 2 accounts>"
