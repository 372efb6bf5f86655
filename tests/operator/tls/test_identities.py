"""What cert-manager is asked for."""

from paquebot_operator.tls.identities import IssuerRef, Leaf, certificate


def test_the_first_name_of_a_certificate_is_the_identity() -> None:
    leaf = Leaf("paquebot-router-identity", "router", ("paquebot-router", "router"))
    spec = certificate(leaf, "mail-system", IssuerRef("paquebot-ca"))["spec"]
    assert spec["commonName"] == "router"
    assert spec["dnsNames"] == ["router", "paquebot-router"]
    assert spec["issuerRef"] == {"name": "paquebot-ca", "kind": "Issuer", "group": "cert-manager.io"}
