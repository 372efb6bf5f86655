"""A small internet on loopback: DNS, and MX hosts of several manners."""
