"""A pod sends mail with its ServiceAccount's token, in every way that clients have to show one; no other token does."""

import asyncio
import json
import shutil
import smtplib
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from paquebot.auth.authenticator import TOKEN_WRONG
from paquebot.auth.token import TOKEN_MAX_BYTES
from paquebot.cli.send import trust
from paquebot.mail.envelope import Envelope
from paquebot.runtime.rpc_client import Channel
from paquebot.wire.submission import SUBMIT, SubmitRequest
from platform_support import SENDER, Stage, content
from tests_support import wait_for
from token_making import Cluster, segment

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUSTER = Cluster()


def token(account: str = "shop.web", **claims: Any) -> bytes:
    return CLUSTER.token(account, time.time(), **claims)


def swapped(account: str) -> bytes:
    head, body, _mark = token(account).split(b".")
    return b".".join((head, body, token("shop.web").split(b".")[2]))


def unsigned(account: str) -> bytes:
    return segment({"alg": "none", "kid": CLUSTER.ident}) + b"." + token(account).split(b".")[1] + b"."


# What is wrong with each, by the name of a ServiceAccount that a credential names.
WRONG: dict[str, Callable[[str], bytes]] = {
    "another-issuer": lambda account: token(account, iss="https://elsewhere.test"),
    "another-audience": lambda account: token(account, aud=["https://kubernetes.default.svc"]),
    "expired": lambda account: token(account, exp=int(time.time()) - 120),
    "without-end": lambda account: token(account, exp=None),
    "not-yet": lambda account: token(account, nbf=int(time.time()) + 600),
    "no-account": lambda account: token(account, sub="system:node:one"),
    "another-namespace": lambda account: token(account.replace("shop.", "news.")),
    "unnamed": lambda _account: token("shop.nobody"),
    "oversize": lambda account: token(account, pad="x" * (TOKEN_MAX_BYTES * 3 // 4 - 100)),
    "another-key": lambda account: Cluster().token(account, time.time()),
    "another-algorithm": lambda account: CLUSTER.token(account, time.time(), {"alg": "HS256"}),
    "another-key-id": lambda account: CLUSTER.token(account, time.time(), {"kid": "other"}),
    "malformed": lambda _account: CLUSTER.signed(b"{"),
    "no-token": lambda _account: b"a.b.c",
    "swapped": swapped,
    "unsigned": unsigned,
}
CREDENTIAL = {
    "apiVersion": "paquebot.dev/v1alpha1",
    "kind": "SMTPCredential",
    "metadata": {"name": "pods", "namespace": "shop"},
    "spec": {
        "domainRefs": [{"name": "shop", "senders": [SENDER]}],
        "serviceAccounts": [{"name": name} for name in ("web", *WRONG)],
    },
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    extra = "".join(f"\n---\n{json.dumps(each)}\n" for each in (CREDENTIAL, CLUSTER.manifest()))
    stage = Stage(tmp_path_factory.mktemp("platform"), extra=extra)
    await stage.start()
    yield stage
    await stage.stop()


class Session(smtplib.SMTP_SSL):
    """A client that can show a token in the ways that smtplib has no method for."""

    def oauthbearer(self, shown: bytes, username: str = "") -> int:
        name = f"a={username}" if username else ""
        first = f"n,{name},\x01host=localhost\x01port=465\x01auth=Bearer {shown.decode()}\x01\x01"
        return self.auth("OAUTHBEARER", lambda challenge=None: first if challenge is None else "\x01")[0]

    def xoauth2(self, shown: bytes, username: str = "") -> int:
        first = f"user={username}\x01auth=Bearer {shown.decode()}\x01\x01"
        return self.auth("XOAUTH2", lambda challenge=None: first if challenge is None else "")[0]

    def plain(self, shown: bytes, username: str) -> int:
        self.user, self.password = username, shown.decode()
        return self.auth("PLAIN", self.auth_plain)[0]

    def password_login(self, shown: bytes, username: str) -> int:
        self.user, self.password = username, shown.decode()
        return self.auth("LOGIN", self.auth_login, initial_response_ok=False)[0]


def session(stage: Stage) -> Session:
    client = Session("localhost", stage.platform.ports["smtps"], context=trust(stage.place), timeout=60)
    client.ehlo()
    return client


@pytest.mark.parametrize(
    ("way", "username"),
    [
        (Session.oauthbearer, ""),
        (Session.oauthbearer, "shop.web"),
        (Session.xoauth2, "shop.pods"),
        (Session.plain, "shop.pods"),
        (Session.plain, "shop.web"),
        (Session.password_login, "shop.pods"),
        (Session.login, "shop.pods"),
    ],
)
async def test_mail_goes_out_by_a_token(stage: Stage, way: Callable[..., Any], username: str) -> None:
    message = content(f"{way.__name__}-{username or 'nobody'}")

    def send() -> str:
        with session(stage) as client:
            assert client.esmtp_features["auth"].split()[-2:] == ["OAUTHBEARER", "XOAUTH2"]
            if way is Session.login:
                client.login(username, token().decode())
            else:
                assert way(client, token(), username) == 235
            return stage.send(message, "someone@accept.test", client=client)

    assert (await asyncio.to_thread(send)).startswith("250")
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)], 30)


async def test_a_token_sends_as_its_credential_may_and_as_nobody_else(stage: Stage) -> None:
    def send() -> str:
        with session(stage) as client:
            client.oauthbearer(token())
            return stage.send(content("other"), "someone@accept.test", client=client, sender="boss@shop.test")

    assert "5.7.1" in await asyncio.to_thread(send)


async def test_a_program_shows_its_token_with_each_call(stage: Stage) -> None:
    channel = Channel(f"127.0.0.1:{stage.platform.ports['submission']}", stage.place.identity("admin"), "submission")
    request = SubmitRequest(Envelope(SENDER, ("someone@accept.test",)), content("program"))
    try:
        answers = [
            (await channel.unary(SUBMIT, request, 30, (("authorization", f"Bearer {shown.decode()}"),))).reply
            for shown in (token(), token(aud="other"))
        ]
    finally:
        await channel.close()
    assert [str(answer)[:9] for answer in answers] == ["250 2.0.0", "535 5.7.8"]


@pytest.mark.parametrize("wrong", WRONG)
async def test_every_other_token_is_refused_alike_and_the_session_may_try_again(stage: Stage, wrong: str) -> None:
    account = f"shop.{wrong}"

    def attempt() -> tuple[int, bytes | str]:
        with session(stage) as known:  # its mistakes then count for it alone
            assert known.oauthbearer(token(account), account) == 235
        with session(stage) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
                client.oauthbearer(WRONG[wrong](account), account)
            assert client.oauthbearer(token(account), account) == 235
            return refusal.value.smtp_code, refusal.value.smtp_error

    assert await asyncio.to_thread(attempt) == (535, f"5.7.8 {TOKEN_WRONG.text}".encode())


@pytest.mark.parametrize("way", [Session.xoauth2, Session.plain, Session.password_login])
async def test_a_stale_token_is_refused_in_whatever_way_it_comes(stage: Stage, way: Callable[..., int]) -> None:
    def attempt() -> int:
        with session(stage) as client, pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            way(client, token(exp=1), "shop.web")
        return refusal.value.smtp_code

    assert await asyncio.to_thread(attempt) == 535


def curl(stage: Stage, _mechanism: str, shown: str, message: Path) -> "subprocess.CompletedProcess[str]":
    ca, port = stage.place.identity("smtp") / "ca.crt", stage.platform.ports["smtps"]
    command = ["curl", "--silent", "--verbose", "--cacert", str(ca), "--url", f"smtps://localhost:{port}/client.test"]
    command += ["--user", "shop.web:", "--oauth2-bearer", shown]
    command += ["--mail-from", SENDER, "--mail-rcpt", "someone@accept.test", "--upload-file", str(message)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def msmtp(stage: Stage, mechanism: str, shown: str, message: Path) -> "subprocess.CompletedProcess[str]":
    ca, port = stage.place.identity("smtp") / "ca.crt", stage.platform.ports["smtps"]
    command = ["msmtp", "--debug", "--host=localhost", f"--port={port}", "--tls=on", "--tls-starttls=off"]
    command += [f"--tls-trust-file={ca}", f"--auth={mechanism}", "--user=shop.web", f"--passwordeval=echo {shown}"]
    command += [f"--from={SENDER}", "--", "someone@accept.test"]
    typed = message.read_text().replace("\r\n", "\n")
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("client", "mechanism"),
    [(curl, "oauthbearer"), (msmtp, "oauthbearer"), (msmtp, "xoauth2")],  # curl prefers the first, whatever it is told
)
async def test_clients_of_others_show_tokens_as_we_read_them(
    stage: Stage, client: Callable[..., Any], mechanism: str, tmp_path: Path
) -> None:
    if shutil.which(client.__name__) is None:
        pytest.skip(f"{client.__name__} is not installed")
    message = tmp_path / "message.eml"
    message.write_bytes(content(f"{client.__name__}-{mechanism}"))
    sent = await asyncio.to_thread(client, stage, mechanism, token().decode(), message)
    assert sent.returncode == 0, sent.stderr
    assert f"AUTH {mechanism.upper()}" in sent.stdout + sent.stderr
    refused = await asyncio.to_thread(client, stage, mechanism, token(exp=1).decode(), message)
    assert refused.returncode != 0
    assert "535 5.7.8" in refused.stdout + refused.stderr
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message.read_bytes())], 30)


async def test_no_token_is_taken_in_the_clear(stage: Stage) -> None:
    def offered() -> dict[str, str]:
        with smtplib.SMTP("localhost", stage.platform.ports["smtp"], timeout=60) as client:
            client.ehlo()
            return client.esmtp_features

    assert "auth" not in await asyncio.to_thread(offered)
