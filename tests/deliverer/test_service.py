"""Claimed: being written."""
