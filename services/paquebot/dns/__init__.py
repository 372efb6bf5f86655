"""The door to the resolver: MX, A and AAAA with a bounded cache."""
