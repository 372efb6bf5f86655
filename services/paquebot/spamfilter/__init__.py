"""Judges a message and says why."""
