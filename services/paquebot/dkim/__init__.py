"""DKIM signing over header fields and body hashes (RFC 6376, RFC 8463). No I/O."""
