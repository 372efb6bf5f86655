"""Claimed by queue-B."""
