"""Whose credential a token is: joins the cluster's identity with the accounts that credentials name. Pure."""

from paquebot.auth.principal import fallen
from paquebot.auth.token import Unfit, Verifier
from paquebot.policy.values import Policy, SMTPCredential


class Bearers:
    """Who bears tokens under a policy."""

    __slots__ = ("_credentials", "_verifier")

    def __init__(self, policy: Policy) -> None:
        """Take the policy that is in force."""
        self._verifier = Verifier(policy.cluster) if policy.cluster is not None else None
        self._credentials = {
            (each.namespace, account): each for each in policy.credentials.values() for account in each.service_accounts
        }

    def __repr__(self) -> str:
        return f"<Bearers {self._verifier!r} {len(self._credentials)} accounts>"

    @property
    def are_known(self) -> bool:
        """There is a cluster whose tokens count."""
        return self._verifier is not None

    def credential(self, token: bytes, username: str, now_ms: int) -> SMTPCredential | Unfit:
        """Return the credential that the token's account may use, or why there is none.

        A user name may be given beside it: the credential's, or `<namespace>.<ServiceAccount>`.
        """
        if self._verifier is None:
            return Unfit("token, but no cluster is known")
        account = self._verifier.verify(token, now_ms / 1000)
        if isinstance(account, Unfit):
            return account
        credential = self._credentials.get((account.namespace, account.name))
        if credential is None:
            return Unfit("token of an account that no credential names", is_signed=True)
        if username not in {"", credential.username, account.username}:
            return Unfit("token with the user name of another", is_signed=True)
        why = fallen(credential, now_ms)
        return Unfit(why, is_signed=True) if why else credential
