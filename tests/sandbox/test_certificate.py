import ssl

from paquebot.sandbox.certificate import self_signed_context


def test_two_ends_shake_hands_and_the_certificate_names_the_hosts() -> None:
    server_in, server_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    server = self_signed_context(("mx.accept.test",)).wrap_bio(server_in, server_out, server_side=True)
    client = lax.wrap_bio(server_out, server_in, server_hostname="mx.accept.test")
    done = 0
    for end in (client, server, client, server, client):
        try:
            end.do_handshake()
            done += 1
        except ssl.SSLWantReadError:
            continue
    assert done >= 2
    assert b"mx.accept.test" in (client.getpeercert(binary_form=True) or b"")
    assert client.version() == "TLSv1.3"
