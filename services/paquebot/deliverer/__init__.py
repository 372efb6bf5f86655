"""Owns partitions of one pool's queue and gets their mail into mailboxes."""
