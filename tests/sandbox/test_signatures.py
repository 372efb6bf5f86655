"""The sandbox's verifier tells which selectors signed a message, and which of the signatures are good."""

from paquebot.dkim import keys
from paquebot.dkim.sign import Signer, sign_all
from paquebot.mail.bodyhash import relaxed_body_hash
from paquebot.runtime.settings import Address
from paquebot.sandbox.signatures import Verifier

NOW_S = 1_790_000_000
HEADER = b"From: desk@shop.example\r\nSubject: Order\r\n"
PEMS = {name: keys.generate(keys.ED25519) for name in ("pq1-ed", "pq2-ed")}
SIGNERS = tuple(Signer("shop.example", name, keys.load(pem)) for name, pem in PEMS.items())
CONTENT = sign_all(SIGNERS, HEADER, relaxed_body_hash(b"Hello\r\n"), NOW_S) + HEADER + b"\r\nHello\r\n"


def verifier(**pems: bytes) -> Verifier:
    """Return one that has looked up these keys, and asks nobody."""
    found = {name.replace("_", "-"): keys.record(pem).encode() for name, pem in pems.items()}
    return Verifier(
        Address("127.0.0.1", 1), {f"{name}._domainkey.shop.example.".encode(): found.get(name) for name in PEMS}
    )


def test_each_signature_is_judged_by_its_selector() -> None:
    half = verifier(pq1_ed=PEMS["pq1-ed"], pq2_ed=PEMS["pq1-ed"])
    assert half.verdicts(CONTENT) == (("pq1-ed", True), ("pq2-ed", False))
    assert half.is_good(CONTENT) is False
    assert verifier(pq1_ed=PEMS["pq1-ed"]).verdicts(CONTENT) == (("pq1-ed", True), ("pq2-ed", False))


def test_a_message_is_good_when_all_signatures_are() -> None:
    assert verifier(pq1_ed=PEMS["pq1-ed"], pq2_ed=PEMS["pq2-ed"]).is_good(CONTENT) is True


def test_without_signatures_there_is_nothing_to_say() -> None:
    for content in (HEADER + b"\r\nHello\r\n", b" no header section"):
        assert verifier().verdicts(content) == ()
        assert verifier().is_good(content) is None
