"""`helm test`: what a mail client meets before it logs in. Says what it saw; ends with 1 at the first fault."""

import os
import smtplib
import ssl
import sys

CONNECT_MAX_S = 30


def main() -> None:
    """Greet both ports as a client that trusts the platform's authority, or the system's where there is none."""
    host, name = os.environ["SUBMISSION_HOST"], os.environ["PAQUEBOT_HOSTNAME"]
    authority = "/var/run/paquebot/smtp/ca.crt" if len(sys.argv) < 2 else sys.argv[1]
    trust = ssl.create_default_context(cafile=authority if os.path.exists(authority) else None)
    with smtplib.SMTP(timeout=CONNECT_MAX_S) as client:
        greeting = client.connect(host, int(os.environ["SUBMISSION_PORT"]))
        print("587:", greeting[1].decode())
        client._host = name  # the certificate is for what clients call us, not for the Service
        client.starttls(context=trust)
        client.ehlo()
        report("587", client)
    with smtplib.SMTP_SSL(timeout=CONNECT_MAX_S, context=trust) as client:
        client._host = name
        client.connect(host, int(os.environ["SUBMISSIONS_PORT"]))
        client.ehlo()
        report("465", client)


def report(port: str, client: smtplib.SMTP) -> None:
    """Say what the session is like, and end when nobody could log in."""
    print(
        f"{port}: {client.sock.version()}, certificate verified; AUTH {client.esmtp_features.get('auth', '').strip()}"
    )
    if "auth" not in client.esmtp_features:
        sys.exit(f"{port}: AUTH is not offered")


if __name__ == "__main__":
    main()
