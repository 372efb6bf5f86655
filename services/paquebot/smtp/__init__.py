"""The SMTP protocol, both ends, as state machines over bytes (RFC 5321). No I/O."""
