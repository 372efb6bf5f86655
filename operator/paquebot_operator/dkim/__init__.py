"""DKIM keys of domains: made, published, seen, used, replaced."""
